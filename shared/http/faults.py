"""pydantic's findings in Chinese, one per field."""

import re
from collections.abc import Sequence
from typing import Any

from shared.errors import Fault

_REASONS = {
    "missing": "此项必填。",
    "string_too_short": "此项必填，内容太短。",
    "string_too_long": "内容太长，最多{max_length}个字。",
    "string_pattern_mismatch": "格式不正确，请核对。",
    "string_type": "应为文字。",
    "string_unicode": "含有无法识别的字符，请删除后重填。",
    "uuid_parsing": "不是有效的编号，请核对。",
    "uuid_type": "不是有效的编号，请核对。",
    "date_from_datetime_parsing": "不是有效的日期，请按2026-11-23的样式填写。",
    "date_parsing": "不是有效的日期，请按2026-11-23的样式填写。",
    "date_type": "不是有效的日期，请按2026-11-23的样式填写。",
    "datetime_parsing": "不是有效的时间。",
    "datetime_from_date_parsing": "不是有效的时间。",
    "timezone_aware": "时间须写明时区。",
    "enum": "只能选择：{expected}。",
    "literal_error": "只能选择：{expected}。",
    "union_tag_invalid": "只能选择：{expected_tags}。",
    "union_tag_not_found": "此项必填。",
    "int_parsing": "应为整数。",
    "int_type": "应为整数。",
    "int_from_float": "应为整数。",
    "decimal_parsing": "应为数字。",
    "decimal_type": "应为数字。",
    "decimal_max_digits": "数值太大。",
    "decimal_max_places": "最多两位小数。",
    "greater_than": "应大于{gt}。",
    "greater_than_equal": "不能小于{ge}。",
    "less_than_equal": "不能大于{le}。",
    "bool_parsing": "应为是或否。",
    "bool_type": "应为是或否。",
    "list_type": "应为列表。",
    "tuple_type": "应为列表。",
    "too_short": "至少{min_length}项。",
    "too_long": "最多{max_length}项。",
    "extra_forbidden": "没有这个项目，请删除。",
    "json_invalid": "不是有效的JSON。",
    "model_attributes_type": "应为对象。",
    "model_type": "应为对象。",
    "dict_type": "应为对象。",
    "finite_number": "应为有限的数字。",
}


def faults_of(errors: Sequence[Any]) -> list[Fault]:
    """Every finding as a fault; the path leaves out where in the request it stood (`body`, `query`)."""
    return [Fault(_path(error), _reason(error)) for error in errors]


def _path(error: Any) -> str:
    loc: Sequence[Any] = error["loc"]
    if error["type"] == "json_invalid":  # its place is an offset, not a field
        return ""
    parts = [str(part) for part in loc if not str(part).startswith("function-")]
    if error["type"].startswith("union_tag"):  # the place is the whole; the field that tells the kinds apart is meant
        parts.append(error["ctx"]["discriminator"].strip("'"))
    return ".".join(parts[1:] if parts and parts[0] in {"body", "query", "path", "header", "cookie"} else parts)


def _reason(error: Any) -> str:
    if error["type"] == "value_error":
        return str(error.get("ctx", {}).get("error", "")) or "填写的内容不符合要求，请核对。"
    if error["type"] == "model_attributes_type" and list(error["loc"]) == ["body"]:
        return "内容应为JSON对象，并在请求头中注明Content-Type: application/json。"
    template = _REASONS.get(error["type"], "填写的内容不符合要求，请核对。")
    context = {name: _words(value) for name, value in (error.get("ctx") or {}).items()}
    return template.format_map({"max_length": "", "min_length": "", "expected": "", **context})


def _words(value: Any) -> Any:
    """A choice as pydantic lists it, `'a', 'b' or 'c'`, without its English."""
    found = re.findall(r"'([^']*)'", value) if isinstance(value, str) else []
    return "、".join(found) or value
