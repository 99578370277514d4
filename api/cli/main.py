"""
The entry of the command line: every verb by name, none imported before it is called.

Promises that an empty value anywhere on the command line is a usage error, so
that no verb has to think of it.
"""

import click

from api.cli.lazy import LazyGroup, at, refuse_empty_values

VERBS = {
    "serve": at("api.cli.operate:serve", "Run the service: HTTP API and web console."),
    "token": at("api.cli.operate:token", "Make, list and revoke tokens."),
    "append": at("api.cli.append:append", "Append events from a file or standard input."),
    "deployment": at("api.cli.record:deployment", "Record what was installed, or was not."),
    "release": at("api.cli.record:release", "Record approvals, releases and verdicts on them."),
    "feature": at("api.cli.record:feature", "Record a feature switched on or off."),
    "rollback": at("api.cli.record:rollback", "Record rollbacks: decided, executed, effective."),
    "oncall": at("api.cli.oncall:oncall", "Record who is on call, and ask who is."),
    "record": at("api.cli.amend:record", "Correct, retract, redact or second what is recorded."),
    "incident": at("api.cli.incident:incident", "Record incidents, and show them."),
    "postmortem": at("api.cli.postmortem:postmortem", "Write a postmortem, and show what is left to do."),
    "gate": at("api.cli.execute:gate", "Ask whether a release may go out now."),
    "run": at("api.cli.run:run", "Run a deploying command and record how it went."),
    "flush": at("api.cli.flush:flush", "Send what was spooled while the ledger was out of reach."),
    "status": at("api.cli.read:status", "What runs where, and where one could roll back to."),
    "situation": at("api.cli.situation:situation", "The first minute of an incident on one screen."),
    "history": at("api.cli.read:history", "Deployments, releases and rollbacks of one slot."),
    "timeline": at("api.cli.timeline:timeline", "What happened in an incident, in order."),
    "report": at("api.cli.report:report", "Write the report about an incident, in any format."),
    "findings": at("api.cli.findings:findings", "Where practice left the doctrine."),
    "changes": at("api.cli.changes:changes", "The change record of a period, for auditors."),
    "reconcile": at("api.cli.reconcile:reconcile", "Compare changes from elsewhere with the record, both ways."),
    "metrics": at("api.cli.metrics:metrics", "How long incidents took, and how software is delivered."),
    "plan": at("api.cli.read:plan", "What returning an environment to a moment would change."),
    "import": at("api.cli.importing:import_", "Take in what another tool keeps: on-call calendars."),
    "export": at("api.cli.export:export", "Write events as NDJSON to a file or standard output."),
    "evidence": at("api.cli.evidence:evidence", "Write events and their proofs into one file for a stranger."),
    "verify": at("api.cli.verify:verify", "Check a record, a served log, a bundle or a backup."),
    "backup": at("api.cli.backup:backup", "Write the data folder into one file, and verify it."),
    "restore": at("api.cli.backup:restore", "Put a backup back, if it has all that was last signed."),
    "log": at("api.cli.log:log", "Show the transparency log's keys, rotate its key, begin a new log."),
    "rebuild": at("api.cli.operate:rebuild", "Build the read models anew from the record."),
    "doctor": at("api.cli.operate:doctor", "Check an installation and say what is wrong."),
    "demo": at("api.cli.demo:demo", "Fill a ledger with a story to look at."),
}


class Root(LazyGroup):
    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        refuse_empty_values(args, ctx)
        return super().parse_args(ctx, args)


def _print_version(ctx: click.Context, _param: click.Parameter, wanted: bool) -> None:
    if not wanted or ctx.resilient_parsing:
        return
    from importlib.metadata import version  # noqa: PLC0415 - 20 ms that no other call should pay

    click.echo(f"lastgood {version('lastgood')}")
    ctx.exit()


main = Root(
    "lastgood",
    verbs=VERBS,
    help="The flight recorder of production: what was deployed, released, decided and rolled back, provably.",
    context_settings={"help_option_names": ["-h", "--help"]},
    params=[
        click.Option(
            ["--version"],
            is_flag=True,
            is_eager=True,
            expose_value=False,
            callback=_print_version,
            help="Print the version and exit.",
        )
    ],
)
