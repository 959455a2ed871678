"""The Word files: every box can be read again, and text stays text."""

from __future__ import annotations

import io
import re
import subprocess
import sys
import zipfile
from dataclasses import replace
from xml.etree import ElementTree

import pytest
from document_samples import NUMBER, TASKFORCE, appeal, escalated, foot, history, order, read, title
from docx import Document
from docx.oxml.ns import qn
from docx.shared import Cm
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.documents import filling
from backend.documents.forms import AssignmentSheet, Form, Opinion, ServiceListing, ServiceType
from backend.documents.layout import COLUMNS, Cell, lay_out
from backend.documents.word import render
from backend.text import clean

LISTING = ServiceListing(
    name="人才公寓申请代办",
    types=frozenset({ServiceType.TALENT, ServiceType.LAW}),
    description="材料预审。\n网上提交。",
    provider="区人社局",
    provider_opinion="同意上架",
    lead_unit="区委人才办",
    remarks="每年复核",
)
FORMS: dict[str, Form] = {
    "escalation": filling.escalation_form(appeal(), escalated()),
    "assignment": filling.assignment_sheet(appeal(), history(), taskforce=TASKFORCE, with_contact=True),
    "supervision": filling.supervision_order(
        appeal(), history(), [order("24T15:00", "请尽快办理")], taskforce=TASKFORCE, with_contact=True
    ),
    "listing": LISTING,
}
HOSTILE = (
    "{{ 7*7 }} {% for x in y %} ${x} <w:p><w:r/></w:p> </w:t> &lt;&amp;&#x26; ]]> <!-- --> <?xml?> "
    "=1+1 \\x00 _x000D_ 😀👨‍👩‍👧 שלום"
)


def test_the_escalation_form_reads_back() -> None:
    file = render(FORMS["escalation"])
    found = read(file)
    assert title(file) == "企业问题提级协调审批表"
    assert foot(file).startswith(f"诉求编号：{NUMBER}　第 ")
    assert list(found) == [
        "企业名称",
        "问题描述",
        "前期协调情况",
        "属地",
        "主办部门",
        "协办部门",
        "主办部门意见",
        "专班意见",
        "主办部门分管区领导意见",
        "书记/区长意见",
        "附件",
    ]
    assert found["企业名称"] == "杭州测试科技有限公司"
    assert found["问题描述"] == appeal().text
    told = found["前期协调情况"].split("\n")
    assert told[:2] == ["沟通情况：", "1. 2026年11月16日10:00　已提交诉求"]
    assert [one for one in told if not one[0].isdigit()] == [
        "沟通情况：",
        "部门领导是否召开专题协调会：☑ 已召开　☐ 未召开",
        "主办协办反馈意见：",
        "办理过程：",
    ]
    assert (found["属地"], found["主办部门"]) == ("下沙街道", "下沙街道")
    assert found["协办部门"] == "区住建局、区交通运输局"
    signed = [part.strip("　") for part in found["主办部门意见"].split("\n")]
    assert signed[0] == "☑ 申请提级协调　　☐ 申请更换主办部门协调"
    assert signed[1:] == ["主办部门主要领导签字：", "主办部门盖章：", "年　　月　　日"]
    for label, who in (
        ("专班意见", "专班领导签字："),
        ("主办部门分管区领导意见", "分管区领导签字："),
        ("书记/区长意见", "书记/区长签字："),
    ):
        assert [part.strip("　") for part in found[label].split("\n")] == ["", who, "年　　月　　日"]
    assert found["附件"] == "《问题办理情况说明》；《主办部门会议记录》；《会议签到记录》"


@pytest.mark.parametrize(
    ("opinion", "ticks"),
    [
        (None, "☐ 申请提级协调　　☐ 申请更换主办部门协调"),
        (Opinion.ESCALATE, "☑ 申请提级协调　　☐ 申请更换主办部门协调"),
        (Opinion.CHANGE_LEAD, "☐ 申请提级协调　　☑ 申请更换主办部门协调"),
    ],
)
def test_one_opinion_is_ticked_or_none(opinion: Opinion | None, ticks: str) -> None:
    form = filling.escalation_form(appeal(), history(), opinion=opinion)
    assert read(render(form))["主办部门意见"].split("\n")[0] == ticks


def test_the_assignment_sheet_reads_back() -> None:
    form = FORMS["assignment"]
    assert isinstance(form, AssignmentSheet)
    file = render(form)
    assert title(file) == f"{TASKFORCE}交办单"
    assert read(file) == {
        "编号": f"交{NUMBER}-02",
        "日期": "2026年11月17日",
        "任务名称": form.task,
        "交办事项": form.matter,
        "办理要求": form.requirements,
        "抄送": "区住建局、区交通运输局",
        "联系人": "王小明（企业联系人）",
        "电话": "13800000001",
        "分管领导": "",
        "主要领导": "",
    }


def test_the_supervision_order_reads_back() -> None:
    file = render(FORMS["supervision"])
    assert title(file) == f"{TASKFORCE}督办单"
    found = read(file)
    assert found == {
        "督办编号": f"督{NUMBER}-01",
        "督办日期": "2026年11月24日",
        "督办任务": f"杭州测试科技有限公司诉求办理（吹哨问题）\n{appeal().text}",
        "主办单位": "下沙街道",
        "协办单位": "区住建局、区交通运输局",
        "办理要求": "请尽快办理",
        "抄送": "区住建局、区交通运输局",
        "联系人": "王小明（企业联系人）",
        "电话": "13800000001",
        "备注": f"诉求编号{NUMBER}，2026年11月16日提交，"
        "办理时限2026年11月23日17:30，已超过时限。由专班督办。",
    }


def test_the_service_listing_reads_back() -> None:
    file = render(LISTING)
    assert title(file) == "服务上架审批单"
    found = read(file)
    assert list(found) == ["服务名称", "服务类型", "服务说明", "服务提供单位意见", "牵头单位意见", "备注"]
    assert found["服务类型"] == (
        "☑ 人才服务　☐ 科技服务　☐ 政策服务　☐ 金融服务\n☐ 开放服务　☑ 法制服务　☐ 诉求服务　☐ 兜底服务"
    )
    assert found["服务说明"] == "材料预审。\n网上提交。"
    assert found["服务提供单位意见"].split("\n")[:3] == [
        "同意上架",
        "单位名称（盖章）：区人社局",
        "主要负责人（签字）：",
    ]
    assert re.fullmatch("日期：　+年　+月　+日", found["牵头单位意见"].split("\n")[3])


@given(kinds=st.frozensets(st.sampled_from(ServiceType)))
@settings(max_examples=20)
def test_exactly_the_kinds_that_were_named_are_ticked(kinds: frozenset[ServiceType]) -> None:
    sheet = lay_out(replace(LISTING, types=kinds))
    ticks = re.findall(r"([☑☐]) (..)服务", sheet.rows[1].cells[1].text)
    assert [name for _, name in ticks] == [kind.value for kind in ServiceType]
    assert {name for tick, name in ticks if tick == "☑"} == {kind.value for kind in kinds}


@pytest.mark.parametrize("form", FORMS.values(), ids=list(FORMS))
def test_a_file_is_a_printable_page_that_names_nobody(form: Form) -> None:
    file = render(form)
    document = Document(io.BytesIO(file))
    section = document.sections[0]
    assert (round(section.page_width.cm, 1), round(section.page_height.cm, 1)) == (21.0, 29.7)
    table = document.tables[0]
    assert sum(column.width for column in table.columns) <= Cm(16.01)
    assert table._tbl.tblPr.find(qn("w:tblBorders")) is not None
    properties = document.core_properties
    assert (properties.author, properties.last_modified_by, properties.comments) == ("", "", "")
    assert (properties.created, properties.modified) == (None, None)
    fonts = {
        style.name: style.element.rPr.rFonts.get(qn("w:eastAsia"))
        for style in document.styles
        if style.name.startswith("Qifu")
    }
    assert fonts == {"QifuTitle": "宋体", "QifuLabel": "宋体", "QifuValue": "仿宋", "QifuFoot": "仿宋"}
    used = {p.style.name for cell in table._cells for p in cell.paragraphs}
    assert used <= {"QifuLabel", "QifuValue"}


@pytest.mark.parametrize("form", FORMS.values(), ids=list(FORMS))
def test_the_rows_of_a_form_fill_the_grid(form: Form) -> None:
    for row in lay_out(form).rows:
        assert sum(cell.span for cell in row.cells) == COLUMNS


@pytest.mark.parametrize("form", FORMS.values(), ids=list(FORMS))
def test_the_same_form_gives_the_same_bytes(form: Form) -> None:
    assert render(form) == render(form)
    with zipfile.ZipFile(io.BytesIO(render(form))) as file:
        assert {info.date_time for info in file.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert file.testzip() is None


def test_the_head_is_repeated_and_only_long_boxes_break() -> None:
    long = "问题比较复杂。" * 714 + "完"
    assert len(long) == 4999
    file = render(filling.escalation_form(appeal(text=long), history()))
    assert read(file)["问题描述"] == long
    rows = Document(io.BytesIO(file)).tables[0].rows
    heads = [row._tr.trPr.find(qn("w:tblHeader")) is not None for row in rows]
    assert heads == [True] + [False] * (len(rows) - 1)
    whole = [row._tr.trPr.find(qn("w:cantSplit")) is not None for row in rows]
    assert [index for index, kept in enumerate(whole) if not kept] == [1, 2]


def test_an_item_that_the_record_leaves_empty_has_room_for_a_hand() -> None:
    form = replace(FORMS["escalation"], contacts=(), feedback=())  # type: ignore[type-var]
    told = read(render(form))["前期协调情况"].split("\n")
    assert told[:5] == [
        "沟通情况：",
        "",
        "部门领导是否召开专题协调会：☑ 已召开　☐ 未召开",
        "主办协办反馈意见：",
        "",
    ]


def _parts(file: bytes) -> dict[str, ElementTree.Element]:
    with zipfile.ZipFile(io.BytesIO(file)) as archive:
        return {name: ElementTree.fromstring(archive.read(name)) for name in archive.namelist()}


def _shape(file: bytes) -> list[str]:
    return [element.tag for element in _parts(file)["word/document.xml"].iter()]


def test_markup_in_a_text_is_text() -> None:
    plain = filling.escalation_form(appeal(text="很普通的一句话"), history())
    nasty = replace(plain, problem=HOSTILE, enterprise=HOSTILE, process=(HOSTILE,) * 5)
    file = render(nasty)
    assert read(file)["问题描述"] == HOSTILE
    assert read(file)["企业名称"] == HOSTILE
    assert _shape(file) == _shape(render(plain))


texts = st.text(
    st.one_of(
        st.characters(), st.sampled_from("<>&\"'{}%$=\u202e\u200f\x00\x0b\x1b\ufffe\ud83d\t\n\r\u2028")
    ),
    max_size=60,
)


@given(texts)
@settings(max_examples=80)
def test_whatever_is_written_comes_back_cleaned(text: str) -> None:
    form = replace(LISTING, description=text, name=text, remarks=text)
    file = render(form)
    parts = _parts(file)
    assert all(parts)
    found = read(file)
    assert found["服务说明"] == found["服务名称"] == found["备注"] == clean(text, lines=True)


@given(texts)
@settings(max_examples=30)
def test_no_text_reaches_the_markup(text: str) -> None:
    form = replace(FORMS["assignment"], matter=text, issuer=text or "专班", contact=text)  # type: ignore[type-var]
    lines = clean(text, lines=True).count("\n")
    tabs = clean(text, lines=True).count("\t")
    known = set(_shape(render(FORMS["assignment"]))) | {qn("w:tab")}
    file = render(form)
    assert set(_shape(file)) <= known
    assert _shape(file).count(qn("w:tab")) == tabs * 3
    assert read(file)["交办事项"].count("\n") == lines


def test_the_library_is_not_loaded_before_a_form_is_made() -> None:
    code = (
        "import sys; import backend.documents.word, backend.documents.filling; "
        "assert not {'docx', 'lxml'} & set(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_a_cell_does_not_show_its_text_in_logs() -> None:
    assert "13800000001" not in repr(Cell("13800000001"))
