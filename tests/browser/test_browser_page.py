"""The page itself: sending, input methods, keyboard, outages, privacy."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Route, expect

QUESTION = "下沙这边报税的大厅在哪儿啊"


def test_failed_message_stays_and_is_sent_again(portal: Any, service_without_bot: Any) -> None:
    page = portal(service_without_bot)
    page.page.route("**/api/v1/chat", lambda route: route.abort())
    page.type(QUESTION)
    page.page.keyboard.press("Enter")
    turn = page.named("person-turn")
    expect(turn).to_contain_text("没有发出去")
    expect(turn).to_contain_text(QUESTION)
    page.page.unroute("**/api/v1/chat")
    page.named("resend").click()
    expect(page.named("assistant-turn")).to_contain_text("金沙大道600号")
    expect(turn).to_have_count(1)
    expect(page.named("resend")).to_have_count(0)


def test_server_error_is_a_plain_sentence(portal: Any, service_without_bot: Any) -> None:
    page = portal(service_without_bot)
    page.page.route(
        "**/api/v1/chat", lambda route: route.fulfill(status=502, body="<html>Bad Gateway</html>")
    )
    page.type(QUESTION)
    page.page.keyboard.press("Enter")
    expect(page.named("person-turn")).to_contain_text("服务暂时出了问题")
    assert "Gateway" not in page.page.inner_text("body")


def test_input_method_keeps_its_enter(portal: Any, service_without_bot: Any) -> None:
    page = portal(service_without_bot)
    page.page.clock.install()
    page.page.reload()
    area = page.named("message-input")
    area.focus()
    keys = page.page.context.new_cdp_session(page.page)
    keys.send("Input.imeSetComposition", {"text": "baoshui", "selectionStart": 7, "selectionEnd": 7})
    process = {"key": "Process", "code": "Enter", "windowsVirtualKeyCode": 229}
    keys.send("Input.dispatchKeyEvent", {"type": "rawKeyDown", **process})
    expect(page.named("person-turn")).to_have_count(0)
    keys.send("Input.insertText", {"text": QUESTION})
    expect(area).to_have_value(QUESTION)
    # some browsers report the Enter just after the composition that it ended
    page.page.clock.run_for(100)
    page.page.keyboard.press("Enter")
    expect(page.named("person-turn")).to_have_count(1)


def test_line_breaks_and_the_longest_message(portal: Any, service_without_bot: Any) -> None:
    page = portal(service_without_bot)
    page.type("第一行")
    page.page.keyboard.press("Shift+Enter")
    page.page.keyboard.type("第二行")
    expect(page.named("message-input")).to_have_value("第一行\n第二行")
    page.type("长" * 5001)
    expect(page.named("send")).to_be_disabled()
    expect(page.page.locator("#message-length")).to_contain_text("超过 5000 字")
    page.type("长" * 5000)
    expect(page.page.locator("#message-length")).to_contain_text("5000 / 5000")
    expect(page.named("send")).to_be_enabled()


def test_banner_goes_when_the_bot_comes(portal: Any, service_without_bot: Any) -> None:
    page = portal(service_without_bot)
    expect(page.named("service-banner")).to_be_visible()

    def ready(route: Route) -> None:
        route.fulfill(json={"ready": True, "parts": {"database": "ok", "knowledge": "ok", "bot": "ok"}})

    page.page.route("**/readyz", ready)
    expect(page.named("service-banner")).to_be_hidden()


def test_dialogs_open_and_close_by_keyboard(portal: Any, service_without_bot: Any) -> None:
    page = portal(service_without_bot)
    button = page.named("open-filing")
    button.focus()
    page.page.keyboard.press("Enter")
    expect(page.named("filing-form")).to_be_visible()
    inside = page.page.evaluate("document.querySelector('.el-dialog').contains(document.activeElement)")
    assert inside is True
    page.page.keyboard.press("Escape")
    expect(page.named("filing-form")).to_be_hidden()
    expect(button).to_be_focused()


def test_quick_reply_by_keyboard_keeps_the_place(portal: Any, service_without_bot: Any) -> None:
    page = portal(service_without_bot)
    page.named("suggestion").first.focus()
    page.page.keyboard.press("Enter")
    expect(page.named("assistant-turn")).to_have_count(1)
    expect(page.page.locator("main")).to_be_focused()


def test_new_conversation_forgets_the_old_one(portal: Any, service_without_bot: Any) -> None:
    page = portal(service_without_bot)
    before = page.page.evaluate("localStorage.getItem('qifu.sender')")
    page.say(QUESTION)
    page.named("open-filing").click()
    page.fill("filing", phone="13800000000")
    page.page.keyboard.press("Escape")
    page.named("open-lookup").click()
    expect(page.page.locator("#lookup-phone")).to_have_value("13800000000")
    page.page.keyboard.press("Escape")
    page.page.reload()
    expect(page.named("person-turn")).to_have_text("您说：" + QUESTION)
    assert page.page.evaluate("localStorage.getItem('qifu.sender')") == before
    # what was said and typed is kept for the session only
    assert page.page.evaluate("Object.keys(localStorage)") == ["qifu.sender"]
    page.named("restart").click()
    page.named("restart-confirm").click()
    expect(page.named("person-turn")).to_have_count(0)
    expect(page.named("suggestion").first).to_be_visible()
    assert page.page.evaluate("localStorage.getItem('qifu.sender')") != before
    assert page.page.evaluate("Object.values(sessionStorage).join()") == ""
    page.named("open-filing").click()
    expect(page.page.locator("#filing-phone")).to_have_value("")
    page.page.keyboard.press("Escape")
    page.named("open-lookup").click()
    expect(page.page.locator("#lookup-phone")).to_have_value("")


def test_conversation_is_a_live_log_with_names(portal: Any, service_without_bot: Any) -> None:
    page = portal(service_without_bot)
    page.say(QUESTION)
    log = page.page.get_by_role("log")
    expect(log).to_have_attribute("aria-live", "polite")
    expect(log).to_contain_text("企服助手说：")
    expect(page.page.get_by_label("输入您的问题")).to_be_visible()
    unnamed = page.page.evaluate(
        "[...document.querySelectorAll('button, input, textarea, select')]"
        ".filter(it => it.offsetParent && !it.innerText.trim() && !it.labels?.length"
        " && !it.getAttribute('aria-label') && !it.getAttribute('aria-labelledby')).length"
    )
    assert unnamed == 0


def test_suggestions_are_answered(portal: Any, service_without_bot: Any) -> None:
    page = portal(service_without_bot)
    titles = page.named("suggestion").all_inner_texts()
    assert len(titles) >= 3
    for title in titles:
        answer = service_without_bot.done("/api/v1/knowledge/answer", {"question": title})
        assert answer["outcome"] == "answered", title
