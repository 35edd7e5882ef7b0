"""How a file that cannot be taken as a whole is refused."""

from shared.errors import Fault, Invalid

NOT_TAKEN = "文件没有导入，请按提示处理后重新上传。"


def refusal(reason: str) -> Invalid:
    """The whole file cannot be taken."""
    return Invalid([Fault("file", reason)], NOT_TAKEN)
