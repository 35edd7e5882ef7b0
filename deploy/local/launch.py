"""Start everything on this machine as separate processes: `python -m deploy.local.launch`.

The port is taken before anything else is even imported: a start that cannot be is told at once.
"""

from pathlib import Path

import click

from deploy.kafka.launch import CACHE
from shared.runtime.listener import LaunchError, listener
from shared.settings import RunSettings


@click.command(help="在本机以独立进程启动全部服务：真实的 Kafka、每个服务和网段一个进程、网关在前。")
@click.option("--kafka", "broker", default="", envvar="YANGGUANG_KAFKA", show_envvar=True, help="已在运行的 Kafka")
@click.option(
    "--processes", default="", envvar="YANGGUANG_PROCESSES", show_envvar=True, help="例如 party_notification=2"
)
@click.option("--kafka-cache", default=CACHE, envvar="YANGGUANG_KAFKA_CACHE", type=Path, hidden=True)
def main(broker: str, processes: str, kafka_cache: Path) -> None:
    """Take the port, then everything else."""
    run = RunSettings()
    try:
        door = listener(run)
    except LaunchError as error:
        raise click.ClickException(str(error)) from None
    with door:
        from deploy.local.machine import run_machine

        run_machine(broker, processes, kafka_cache, run, door)


if __name__ == "__main__":
    main()
