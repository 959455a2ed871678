"""The main job in the page: ask, file, follow, confirm."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import Route, expect

MARKUP = '<script>window.bad = 1</script><img src=x onerror="window.bad = 1">'
TAX_HALL = "下沙这边报税的大厅在哪儿啊"
PROBLEM = "我们厂区门口的道路破损严重，货车进出很不安全，希望尽快修补。"
DUE = re.compile(r"^20\d\d年\d{1,2}月\d{1,2}日 17:30$")
NUMBER = re.compile(r"^[A-Z]{2}\d{8}-\d{4,}$")


def test_question_is_answered_with_a_source_that_opens(portal: Any, service: Any) -> None:
    page = portal(service)
    answer = page.say(TAX_HALL)
    expect(answer).to_contain_text("金沙大道600号")
    chip = answer.locator('[data-test="citation"]').first
    expect(chip).to_contain_text("来源")
    chip.click()
    source = page.named("source")
    expect(source).to_contain_text("文件")
    expect(source).to_contain_text("qt.")
    expect(page.named("source-card")).to_be_visible()
    page.page.keyboard.press("Escape")
    expect(source).to_be_hidden()


def test_appeal_by_conversation_is_followed_until_it_is_closed(portal: Any, service: Any) -> None:
    page = portal(service)
    page.say("我要提交诉求")
    for words in (PROBLEM, "杭州示例机械有限公司", "李明", "13800000001", "下沙街道"):
        answer = page.say(words)
    answer = page.press(re.compile("确认"))
    card = answer.locator('[data-test="appeal-card"]')
    number = card.locator('[data-test="appeal-number"]').inner_text()
    assert NUMBER.match(number)
    assert DUE.match(card.locator('[data-test="appeal-due"]').inner_text())
    expect(card.locator('[data-test="appeal-state"]')).to_have_text("已提交")

    page.say("我的诉求办到哪一步了")
    if not page.named("assistant-turn").last.locator('[data-test="appeal-card"]').count():
        page.say(number)
    if not page.named("assistant-turn").last.locator('[data-test="appeal-card"]').count():
        page.say("13800000001")
    expect(page.named("assistant-turn").last).to_contain_text(number)

    service.resolve(number, "破损路面已经修补。")
    result = page.look_up(number, "13800000001")
    expect(result.locator('[data-test="appeal-state"]')).to_have_text("已办结待确认")
    expect(page.named("replies")).to_contain_text("破损路面已经修补。")
    page.page.get_by_label("已解决").check()
    page.page.locator(".el-rate__item").nth(4).click()
    page.page.locator("#feedback-comment").fill("修得很快。")
    page.named("feedback-submit").click()
    expect(page.named("feedback-given")).to_be_visible()
    expect(result.locator('[data-test="appeal-state"]')).to_have_text("已闭环")
    assert service.appeals_of("杭州示例机械有限公司")[0]["state"] == "closed"


def test_unresolved_goes_back_with_its_due_time(portal: Any, service: Any) -> None:
    page = portal(service)
    number = page.file_by_form(PROBLEM, "杭州示例化工有限公司")
    service.resolve(number, "已经处理。")
    result = page.look_up(number)
    due = result.locator('[data-test="appeal-due"]').inner_text()
    page.named("feedback-submit").click()
    expect(page.named("feedback-form")).to_contain_text("请先选择")
    page.page.get_by_label("未解决").check()
    page.page.locator("#feedback-comment").fill("没有人来。")
    page.named("feedback-submit").click()
    expect(page.named("feedback-given")).to_contain_text("未解决")
    expect(result.locator('[data-test="appeal-state"]')).to_have_text("重新办理")
    assert result.locator('[data-test="appeal-due"]').inner_text() == due
    assert service.appeals_of("杭州示例化工有限公司")[0]["state"] == "reopened"


def test_refusal_waits_for_the_enterprise_and_comes_back(portal: Any, service_without_bot: Any) -> None:
    service = service_without_bot
    page = portal(service)
    number = page.file_by_form(PROBLEM, "杭州示例食品有限公司")
    office = service.token("taskforce", "专班")
    reason = {"reason": "这件事不属于区里的职责，请向市里反映。"}
    service.done(f"/api/v1/desk/appeals/{number}/decline", reason, token=office)
    result = page.look_up(number)
    expect(page.named("replies")).to_contain_text("不属于区里的职责")
    page.page.get_by_label("未解决").check()
    page.named("feedback-submit").click()
    expect(page.named("feedback-given")).to_contain_text("未解决")
    expect(result.locator('[data-test="appeal-state"]')).to_have_text("已提交")


def test_merge_can_be_taken_back_by_the_enterprise(portal: Any, service_without_bot: Any) -> None:
    service = service_without_bot
    page = portal(service)
    first = page.file_by_form(PROBLEM, "杭州示例印染有限公司")
    page = portal(service)
    second = page.file_by_form(PROBLEM, "杭州示例印染有限公司")
    office = service.token("taskforce", "专班")
    merge = {"into": first, "reason": "同一处路面"}
    service.done(f"/api/v1/desk/appeals/{second}/merge", merge, token=office)
    result = page.look_up(second)
    expect(page.named("merged")).to_contain_text(first)
    page.named("separate").click()
    expect(page.named("feedback-given")).to_contain_text("取消并案")
    expect(result.locator('[data-test="appeal-state"]')).to_have_text("已提交")


def test_wrong_phone_shows_nothing_of_the_appeal(portal: Any, service_without_bot: Any) -> None:
    page = portal(service_without_bot)
    number = page.file_by_form(PROBLEM, "杭州示例纺织有限公司")
    page.look_up(number, "13911111111")
    expect(page.named("lookup-failure")).to_be_visible()
    expect(page.named("lookup-result")).to_have_count(0)


def test_without_the_bot_questions_and_filing_go_on(portal: Any, service_without_bot: Any) -> None:
    page = portal(service_without_bot)
    expect(page.named("service-banner")).to_contain_text("填表提交诉求")
    expect(page.say(TAX_HALL)).to_contain_text("金沙大道600号")
    page.say("我要提交诉求")
    page.named("quick-reply").filter(has_text="提交诉求").first.click()
    page.fill(
        "filing", enterprise="杭州示例食品有限公司", contact="赵六", phone="0571-20000000", text=PROBLEM
    )
    page.page.locator("#filing-territory").select_option("下沙街道")
    page.named("filing-submit").click()
    card = page.named("filed").locator('[data-test="appeal-card"]')
    assert NUMBER.match(card.locator('[data-test="appeal-number"]').inner_text())
    assert DUE.match(card.locator('[data-test="appeal-due"]').inner_text())
    page.page.keyboard.press("Escape")
    # the appeal is in the conversation too, and still there after a reload
    expect(page.named("assistant-turn").last.locator('[data-test="appeal-card"]')).to_be_visible()
    page.page.reload()
    expect(page.named("assistant-turn").last.locator('[data-test="appeal-card"]')).to_be_visible()


def test_double_click_files_one_appeal(portal: Any, service_without_bot: Any) -> None:
    page = portal(service_without_bot)
    page.named("open-filing").click()
    page.fill("filing", enterprise="杭州示例双击有限公司", contact="王五", phone="13800000000", text=PROBLEM)
    page.named("filing-submit").dblclick()
    expect(page.named("filed")).to_be_visible()
    assert len(service_without_bot.appeals_of("杭州示例双击有限公司")) == 1


def test_lost_answer_to_a_filing_is_repeated_without_doubling(portal: Any, service_without_bot: Any) -> None:
    page = portal(service_without_bot)
    lost = []

    def lose_the_first_answer(route: Route) -> None:
        if lost:
            route.continue_()
        else:
            lost.append(route.fetch().status)
            route.abort()

    page.page.route("**/api/v1/appeals", lose_the_first_answer)
    page.named("open-filing").click()
    page.fill("filing", enterprise="杭州示例断网有限公司", contact="王五", phone="13800000000", text=PROBLEM)
    page.named("filing-submit").click()
    expect(page.named("filing-failure")).to_be_visible()
    assert lost == [201]
    page.fill("filing", text=PROBLEM + "很急。")
    page.named("filing-submit").click()
    expect(page.named("filed")).to_contain_text("修改之前的内容其实已经提交成功")
    appeals = service_without_bot.appeals_of("杭州示例断网有限公司")
    assert [appeal["text"] for appeal in appeals] == [PROBLEM]


def test_refused_field_is_named_and_nothing_typed_is_lost(portal: Any, service_without_bot: Any) -> None:
    page = portal(service_without_bot)
    page.named("open-filing").click()
    page.fill("filing", enterprise="杭州示例有限公司", contact="王五", phone="1380000000", text=PROBLEM)
    page.named("filing-submit").click()
    expect(page.named("filing-form")).to_contain_text("联系电话不正确")
    expect(page.page.locator("#filing-phone")).to_be_focused()
    page.page.reload()
    page.named("open-filing").click()
    expect(page.page.locator("#filing-text")).to_have_value(PROBLEM)


def test_markup_is_shown_as_text(portal: Any, service: Any) -> None:
    page = portal(service)
    page.say(MARKUP)
    expect(page.named("person-turn")).to_contain_text(MARKUP)
    number = page.file_by_form(f"{MARKUP} 厂区门口道路破损，希望修补。", f"示例{MARKUP[:40]}有限公司")
    result = page.look_up(number)
    expect(result).to_contain_text(MARKUP)
    assert page.page.evaluate("window.bad") is None
    assert page.page.locator('img[src="x"]').count() == 0


@pytest.mark.parametrize("width", [360, 768])
def test_nothing_is_wider_than_the_window(portal: Any, service_without_bot: Any, width: int) -> None:
    page = portal(service_without_bot, {"width": width, "height": 740})
    assert page.overflow() <= 0
    page.say(TAX_HALL)
    page.say("很长的英文没有空格" + "x" * 300)
    assert page.overflow() <= 0
    page.named("citation").first.click()
    expect(page.named("source-card")).to_be_visible()
    assert page.overflow() <= 0
    page.page.keyboard.press("Escape")
    number = page.file_by_form(PROBLEM, "杭州示例窄屏有限公司")
    assert page.overflow() <= 0
    page.look_up(number)
    assert page.overflow() <= 0
    inner = page.page.locator(".el-dialog:visible").evaluate("it => it.scrollWidth - it.clientWidth")
    assert inner <= 0
