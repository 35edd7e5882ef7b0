"""How fields are called in tables, forms and faults."""

from collections.abc import Sequence

COLUMNS = {
    "case_number": "案号",
    "filed_on": "立案日期",
    "basis_document": "执行依据文号",
    "basis_maker": "作出机关",
    "cause": "案由",
    "claim_amount": "执行标的金额",
    "role": "当事人地位",
    "name": "姓名或名称",
    "id_kind": "证件类型",
    "id_number": "证件号码",
    "phone": "手机号码",
    "email": "电子邮箱",
    "consents": "同意电子送达",
    "address_confirmed_on": "送达地址确认日期",
    "guardian_name": "法定代理人",
    "guardian_phone": "法定代理人手机",
    "postal_address": "送达地址",
    "agent_name": "委托代理人",
    "agent_phone": "代理人手机",
    "obligation": "应履行义务",
    "received_on": "收到申请日期",
    "non_litigation": "非诉执行",
    "main_case": "所属执行案件",
    "urgent": "情况紧急",
    "secured_on": "提供担保日期",
    "ground": "审查事由",
    "report_ordered": "责令再次报告财产",
}
"""The columns of an import's table, in the order of the template."""
OPTIONAL = ("received_on", "non_litigation", "main_case", "urgent", "secured_on", "ground", "report_ordered")
"""A table may leave these columns out: what they would say is then not known."""
REQUIRED = tuple(field for field in COLUMNS if field not in OPTIONAL)


def line_words(lines: Sequence[int]) -> str:
    """Lines in ascending order as people name them: `4–5、9`."""
    spans: list[list[int]] = []
    for line in lines:
        if spans and line == spans[-1][-1] + 1:
            spans[-1] = [spans[-1][0], line]
        else:
            spans.append([line])
    return "、".join("–".join(map(str, span)) for span in spans)
