from __future__ import annotations

import json

from appeal_district import PHONE, District

from backend.appeals import views


async def test_the_enterprise_s_answers_carry_no_contact_and_no_internal_words(district: District) -> None:
    group = await district.service.file(district.filing(channel="hotline"))
    number = group.appeals[0].number
    await district.service.assign(district.xiasha, number, text="请优先办理此事")
    await district.service.note(district.housing, number, "企业态度不好")
    await district.service.supervise(district.taskforce, number, "今天必须联系")
    await district.service.reply(district.housing, number, "明天到现场查看")
    await district.service.resolve(district.housing, number)
    record = await district.service.give_feedback(number, PHONE, "resolved", 4, "可以")
    for shown in (
        views.filed(group),
        views.enterprise(record),
        views.enterprise(await district.service.get(district.taskforce, number)),
    ):
        text = json.dumps(shown, ensure_ascii=False)
        for hidden in (PHONE, "王芳", "请优先办理此事", "企业态度不好", "今天必须联系", '"zj"'):
            assert hidden not in text
    appeal = views.enterprise(record)["appeal"]
    assert appeal["replies"] == [
        {"at": "2026-11-19T10:00:00+08:00", "department": "区住建局", "text": "明天到现场查看"}
    ]
    assert (appeal["state_text"], appeal["level_text"]) == ("已闭环", "单一部门问题")
    assert appeal["feedback"]["result_text"] == "已解决"


async def test_the_desk_sees_everything(district: District) -> None:
    number = await district.assigned(territory=None)
    district.clock.pass_by(days=9)
    shown = views.desk(
        await district.service.get(district.taskforce, number), district.clock(), district.taskforce
    )
    assert (shown["contact"], shown["phone"]) == ("王芳", PHONE)
    assert shown["overdue"]
    assert shown["supervisor"] == "专班"
    assert [row["state"] for row in shown["supervision"]] == ["pending", "pending"]
    assert [line["event"] for line in shown["history"]] == ["file", "assign"]
    assert shown["history"][1]["actor"] == {"name": "xs", "role": "territory", "unit": "下沙街道"}
    json.dumps(shown)


async def test_personal_data_stay_out_of_repr(district: District) -> None:
    appeal = await district.filed(enterprise="某某保密公司", text="内容不应出现在日志里")
    for thing in (appeal, district.filing()):
        for hidden in (PHONE, "王芳", "某某保密公司", "内容不应"):
            assert hidden not in repr(thing)
