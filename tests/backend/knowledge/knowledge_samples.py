"""A small knowledge base of three districts, as files, for tests."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]

QIANTANG = {
    "jurisdiction.yaml": """
jurisdiction:
  id: qt.district
  name: 钱塘区
  aliases: [钱塘, 下沙]
  level: district
  hotline: qt.hotline
  appeals: true
  appeal_prefix: QT
""",
    "documents.yaml": """
documents:
  - id: qt.doc
    title: 关于《企业服务》的通知
    issuer: 钱塘区
    issued: 2023-05-17
""",
    "departments.yaml": """
departments:
  - id: qt.dept.economy
    name: 区经信科技局
    aliases: [区经信局, 经信局]
    duties: [工业, 科技]
    source: {document: qt.doc, section: 一}
territories:
  - id: qt.territory.xiasha
    name: 下沙街道
    kind: street
    aliases: [下沙街道办]
    source: {document: qt.doc, section: 一}
boards:
  - id: qt.board.appeal
    name: 诉求
    lead: qt.dept.economy
    words: [诉求, 投诉]
    source: {document: qt.doc, section: 一}
""",
    "entries.yaml": """
entries:
  - id: qt.hotline
    kind: contact
    title: 钱塘营商热线
    questions: [企业有困难打哪个电话, 你们的热线是多少, 营商热线怎么打]
    aliases: [营商热线, 拨我就灵]
    answer: 钱塘营商热线是0571-85901890，企业有困难都可以拨打。
    facts:
      phone:
        - {number: 0571-85901890, name: 钱塘营商热线}
    not_stated: [hours]
    source: {document: qt.doc, section: 一、问题收集}
    related: [qt.promise]
  - id: qt.promise
    kind: rule
    title: “135”限时办结
    questions: [诉求几天能办好, 一个部门的问题多久回复, 简单问题几天答复]
    aliases: ["135", 135机制]
    answer: 简单问题1个工作日内回复，单一部门问题3个工作日，多个部门的5个工作日。
    facts:
      time_limit:
        - {text: 1个工作日内回复, label: 简单}
        - {text: 3个工作日内回复, label: 单一部门|一个部门}
        - {text: 5个工作日内回复, label: 多个部门|几个部门}
    date_note: 以上是2023年的规定。
    source: {document: qt.doc, section: 二、办理}
  - id: qt.tax-hall
    kind: channel
    title: 办税服务厅地址
    questions: [报税去哪里, 办税大厅在哪, 交税的大厅在什么地方]
    aliases: [办税大厅, 办税服务厅]
    answer: 钱塘区有两处办税服务厅，在金沙大道和江东大道。
    facts:
      address:
        - {text: 金沙大道600号东楼2楼, name: 下沙办税服务厅}
        - {text: 江东大道3899号, name: 大江东办税服务厅}
    not_stated: [hours, phone]
    source: {document: qt.doc, section: 三、地点}
  - id: qt.materials
    kind: service
    title: 人才公寓申请
    questions: [人才公寓怎么申请, 想申请人才公寓, 公寓申请的条件]
    aliases: [人才公寓]
    answer: 在线提交申请，审核通过后选房。
    facts:
      materials: [身份证, 学历证书, 劳动合同]
      steps: [在线提交, 审核, 选房]
      unit: [区人才办]
    not_stated: [amount, phone]
    source: {document: qt.doc, section: 四、人才}
""",
}
BINJIANG = {
    "jurisdiction.yaml": """
jurisdiction:
  id: bj.district
  name: 滨江区
  aliases: [滨江]
  level: district
""",
    "documents.yaml": """
documents:
  - id: bj.doc
    title: 暖企小站激励方案
    issuer: 滨江区商务局
    issued: 2024-02-29
""",
    "entries.yaml": """
entries:
  - id: bj.award
    kind: policy
    title: 暖企小站建设奖励
    questions: [暖企小站奖多少, 建一个暖企小站给多少钱, 小站验收后补几万]
    aliases: [暖企小站, 建设奖励]
    answer: 验收通过的暖企小站给予5万元一次性建设奖励，首批试点园区可再增加1万元。
    facts:
      amount:
        - {text: 5万元一次性建设奖励}
        - {text: 再增加1万元, label: 首批|试点}
      unit: [区商务局]
    not_stated: [phone, link]
    source: {document: bj.doc, section: 一、建设奖励}
  - id: bj.station
    kind: definition
    title: 暖企小站是什么
    questions: [什么是暖企小站, 暖企小站干什么的]
    answer: 暖企小站是设在园区里、为企业提供服务的固定场所。
    source: {document: bj.doc, section: 前言}
""",
}
SHANGCHENG = {
    "jurisdiction.yaml": """
jurisdiction:
  id: sc.district
  name: 上城区
  aliases: [上城]
  level: district
  hotline: sc.hotline
""",
    "documents.yaml": """
documents:
  - {id: sc.doc, title: 营商环境二十条, issuer: 上城区, issued: 2023-03-03}
""",
    "entries.yaml": """
entries:
  - id: sc.hotline
    kind: contact
    title: 上城企业咨询热线
    questions: [企业有困难打哪个电话好, 你们这边的热线是多少, 企业咨询热线]
    answer: 上城企业咨询热线是0571-85908590。
    facts:
      phone:
        - {number: 0571-85908590, name: 上城区为企服务中心}
    source: {document: sc.doc, section: 第13条}
""",
}
FOLDERS = {"qiantang": QIANTANG, "binjiang": BINJIANG, "shangcheng": SHANGCHENG}


def write(root: Path, folders: dict[str, dict[str, str]]) -> Path:
    """Writes knowledge folders and returns their root."""
    for folder, files in folders.items():
        for name, content in files.items():
            path = root / folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content.lstrip("\n"), encoding="utf-8")
    return root
