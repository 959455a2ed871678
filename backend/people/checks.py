"""What a user name, a role, a unit and a password must be."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from typing import Final

from backend.errors import InvalidInput
from backend.people.roles import Role
from backend.text import clean

MIN_PASSWORD: Final = 10
MAX_PASSWORD: Final = 200
MAX_UNIT: Final = 100
MAX_LABEL: Final = 40

_USERNAME = re.compile(r"^\w[\w.@-]{1,63}$")

Units = Callable[[Role, str], str | None]
"""Answers the official name of a unit for a role, or None if there is no such unit."""


def normal_username(username: str) -> str | None:
    """A user name in its stored form: small letters; None if it can be nobody's."""
    name = unicodedata.normalize("NFKC", username[:200]).strip().casefold()
    return name if _USERNAME.match(name) else None


def check_username(username: str) -> str:
    """A user name in its stored form.

    Raises:
        InvalidInput: It is not 2 to 64 letters, digits or ``_ . @ -``.
    """
    name = normal_username(username)
    if name is None:
        raise InvalidInput("用户名应为 2 到 64 个字母、数字或 _ . @ - 符号。", field="username")
    return name


def check_role(role: Role | str) -> Role:
    """A role by its name.

    Raises:
        InvalidInput: There is no such role.
    """
    try:
        return Role(role)
    except ValueError:
        raise InvalidInput(f"角色只能是：{'、'.join(Role)}。", field="role") from None


def check_unit(role: Role, unit: str | None, units: Units | None) -> str | None:
    """The official name of a unit.

    Args:
        role: Of the account; departments and territories need a unit.
        unit: Name or alias.
        units: Knows the official names; without it, a unit is taken as it is written.

    Raises:
        InvalidInput: It is missing, too long or unknown.
    """
    name = clean((unit or "")[: 2 * MAX_UNIT])
    if not name:
        if role.needs_unit:
            raise InvalidInput("部门和平台、街道的账号需要填写单位。", field="unit")
        return None
    if len(name) > MAX_UNIT:
        raise InvalidInput(f"单位名称最多 {MAX_UNIT} 个字。", field="unit")
    if not units or not role.needs_unit:
        return name
    official = units(role, name)
    if official is None:
        raise InvalidInput("没有找到这个单位，请使用部门或平台、街道列表中的名称。", field="unit")
    return official


def check_password(password: str, username: str, field: str = "password") -> str:
    """A password that may be set.

    Args:
        password: 10 to 200 characters.
        username: Whose; a password that is the name is refused.
        field: Named in the refusal.

    Raises:
        InvalidInput: It is too short, too long or the user name.
    """
    if not MIN_PASSWORD <= len(password) <= MAX_PASSWORD:
        raise InvalidInput(f"密码应为 {MIN_PASSWORD} 到 {MAX_PASSWORD} 个字符。", field=field)
    if password.strip().casefold() == username or len(set(password)) < 3:
        raise InvalidInput("密码太容易猜到，请换一个。", field=field)
    return password


def check_label(label: str) -> str:
    """What a token is for, in a few words.

    Raises:
        InvalidInput: It is empty or too long.
    """
    text = clean(label[: 4 * MAX_LABEL])
    if not 1 <= len(text) <= MAX_LABEL:
        raise InvalidInput(f"令牌用途应为 1 到 {MAX_LABEL} 个字。", field="label")
    return text
