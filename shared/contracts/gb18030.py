"""Private-use characters of older Chinese systems, and the characters that they stand for.

GB 18030-2000 gave 95 of its characters, and GBK before it 80, code points in the private use area, because Unicode had
none for them then. GB 18030-2005 and -2022 give each its own; fonts of today draw only those.
"""


def _run(first: int, codes: str) -> dict[int, str]:
    return {first + at: chr(int(code, 16)) for at, code in enumerate(codes.split())}


STANDARD = {
    0xE76C: "€",
    0xE7C7: "ḿ",
    0xE7C8: "ǹ",
    **_run(0xE78D, "FE10 FE12 FE11 FE13 FE14 FE15 FE16 FE17 FE18 FE19"),
    **_run(0xE7E7, "303E 2FF0 2FF1 2FF2 2FF3 2FF4 2FF5 2FF6 2FF7 2FF8 2FF9 2FFA 2FFB"),
    **_run(0xE815, "2E81 20087 20089 200CC 2E84 3473 3447 2E88 2E8B 9FB4 359E 361A 360E 2E8C 2E97 396E 3918 9FB5 39CF"),
    **_run(0xE828, "39DF 3A73 39D0 9FB6 9FB7 3B4E 3C6E 3CE0 2EA7 215D7 9FB8 2EAA 4056 415F 2EAE 4337 2EB3 2EB6 2EB7"),
    **_run(0xE83B, "2298F 43B1 43AC 2EBB 43DD 44D6 4661 464C 9FB9 4723 4729 477C 478D 2ECA 4947 497A 497D 4982 4983"),
    **_run(0xE84E, "4985 4986 499F 499B 49B7 49B6 9FBA 241FE 4CA3 4C9F 4CA0 4CA1 4C77 4CA2 4D13 4D14 4D15 4D16 4D17"),
    **_run(0xE861, "4D18 4D19 4DAE 9FBB"),
}
"""By code point."""
