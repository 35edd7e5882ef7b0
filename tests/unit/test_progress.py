import threading

from shared.runtime.progress import Progress


def test_a_long_step_says_that_it_goes_on_until_the_next() -> None:
    said: list[str] = []
    twice = threading.Event()

    def say(line: str) -> None:
        said.append(line)
        if sum("仍在准备数据库" in line for line in said) == 2:
            twice.set()

    progress = Progress(say, every=0.01)
    progress.step("准备数据库")
    assert twice.wait(10)
    progress.step("启动")
    progress.close()
    told = len(said)
    assert said[0] == "  准备数据库……"
    assert "  启动……" in said
    assert "已 0 秒" in said[1]
    progress.close()
    assert len(said) == told


def test_what_is_over_before_it_began_says_nothing() -> None:
    said: list[str] = []
    Progress(said.append).close()
    assert not said
