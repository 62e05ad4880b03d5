#!/usr/bin/env python3
"""Schedules prompts and tool calls, over the control API of the Luna that runs it.

SUPERVISOR_API_TOKEN comes from .env, which Luna fills in; LUNA_URL says where Luna answers, if not at its usual address.
The token opens everything. So all that is scheduled here runs under one hub, PROMPTYOSELF_HUB, and may call what that
hub shows; schedules of others are neither shown nor touched.
"""

import argparse
import json
import os
import urllib.parse


def ask(method, path, body=None, wait=30):
    # Only here: asking for help should not have to wait for it.
    import urllib.error
    import urllib.request

    token = os.environ.get("SUPERVISOR_API_TOKEN")
    if not token:
        raise SystemExit("SUPERVISOR_API_TOKEN is not set. It stands in .env of the home.")
    base = os.environ.get("LUNA_URL") or "http://127.0.0.1:8766"
    url = base.rstrip("/") + "/api/supervisor/schedules" + path
    headers = {"authorization": "Bearer " + token, "content-type": "application/json"}
    data = None if body is None else json.dumps(body).encode()
    try:
        with urllib.request.urlopen(urllib.request.Request(url, data, headers, method=method), timeout=wait) as answer:
            return json.loads(answer.read() or b"{}")
    except urllib.error.HTTPError as error:
        raise SystemExit(reason(error))
    except urllib.error.URLError as error:
        raise SystemExit(f"Luna cannot be reached at {base}: {error.reason}. Set LUNA_URL in .env.")


def reason(error):
    text = error.read(2000).decode(errors="replace")
    try:
        return json.loads(text)["error"]["message"]
    except (ValueError, KeyError, TypeError):
        return f"Luna answered {error.code}: {text}"


def hub():
    return os.environ.get("PROMPTYOSELF_HUB") or "default"


def when(args):
    if [args.cron, args.time, args.every].count(None) != 2:
        raise SystemExit("Give one of --cron, --time and --every.")
    if args.every is not None:
        return {"every_seconds": args.every}
    chosen = {"cron": args.cron} if args.cron is not None else {"at": args.time}
    return {**chosen, "timezone": args.timezone} if args.timezone else chosen


def register(args):
    if (args.agent is None) == (args.tool is None):
        raise SystemExit("Give either --agent with --prompt, or --tool.")
    if args.agent is not None:
        action = {"agent": args.agent, "prompt": args.prompt or ""}
    else:
        try:
            action = {"tool": args.tool, "args": json.loads(args.args)}
        except ValueError as error:
            raise SystemExit(f"--args is not JSON: {error}")
    body = {"name": args.name, "action": action, "when": when(args), "hub": hub()}
    if args.missed:
        body["missed"] = args.missed
    return ask("POST", "", body)


def list_all(args):
    return {"schedules": [one for one in own_schedules() if args.all or "next" in one]}


def own_schedules():
    return [one for one in ask("GET", "")["schedules"] if one.get("hub") == hub()]


def named(args):
    for one in own_schedules():
        if one["name"] == args.name:
            return "/" + urllib.parse.quote(one["id"], safe="")
    raise SystemExit(f'There is no schedule "{args.name}" here. The command list shows them.')


def cancel(args):
    ask("DELETE", named(args))
    return {"name": args.name, "status": "cancelled"}


def execute(args):
    return ask("POST", named(args) + "/run", {"wait": True}, wait=590)


def test(args):
    return ask("POST", "/test", {"when": when(args)})


def agents(_args):
    return ask("GET", "/agents")


def main():
    parser = argparse.ArgumentParser(description="Schedules prompts and tool calls.")
    commands = parser.add_subparsers(dest="command", required=True)

    command = commands.add_parser("register", help="Schedules a prompt to an agent, or a tool call")
    command.add_argument("name", help="a name that no other schedule has")
    command.add_argument("--agent", help="the agent or preset to ask")
    command.add_argument("--prompt", help="what to ask it")
    command.add_argument("--tool", help="instead of an agent: the tool to call")
    command.add_argument("--args", default="{}", help="arguments of the tool as JSON (default: %(default)s)")
    command.add_argument("--missed", choices=["skip", "run_once"], help="what becomes of times that Luna missed")
    times(command)
    command.set_defaults(run=register)

    command = commands.add_parser("list", help="Lists schedules that run again")
    command.add_argument("--all", action="store_true", help="those too that are over or switched off")
    command.set_defaults(run=list_all)

    command = commands.add_parser("cancel", help="Deletes a schedule")
    command.add_argument("name", help="the name of the schedule")
    command.set_defaults(run=cancel)

    command = commands.add_parser("execute", help="Runs a schedule now and waits for its end")
    command.add_argument("name", help="the name of the schedule")
    command.set_defaults(run=execute)

    command = commands.add_parser("test", help="Says the next five times, and makes no schedule")
    times(command)
    command.set_defaults(run=test)

    command = commands.add_parser("agents", help="Lists the agents that can be asked")
    command.set_defaults(run=agents)

    args = parser.parse_args()
    print(json.dumps(args.run(args)))


def times(command):
    command.add_argument("--cron", help='a cron expression, such as "0 9 * * 1-5"')
    command.add_argument("--time", help="once, such as 2030-06-01T18:00:00+02:00")
    command.add_argument("--every", type=int, metavar="INT", help="again and again after so many seconds")
    command.add_argument("--timezone", help="of --cron and --time, such as Europe/Berlin")


main()
