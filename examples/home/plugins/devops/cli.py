#!/usr/bin/env python3
"""Looks after a machine: disk, processes, git, services. Needs nothing but Python."""

import argparse
import json
import shutil
import socket
import subprocess


def disk(args):
    total, used, free = shutil.disk_usage(args.path)
    return {"path": args.path, "total_bytes": total, "used_bytes": used, "free_bytes": free,
            "used_percent": round(100 * used / total, 1)}


def processes(args):
    lines = run(["ps", "-eo", "pid=,pcpu=,pmem=,comm="]).splitlines()
    rows = [line.split(None, 3) for line in lines if line.strip()]
    found = [{"pid": int(row[0]), "cpu_percent": float(row[1]), "memory_percent": float(row[2]), "command": row[3]}
             for row in rows if args.name is None or args.name in row[3]]
    key = "memory_percent" if args.sort == "memory" else "cpu_percent"
    return {"processes": sorted(found, key=lambda row: -row[key])[:args.limit]}


def git_status(args):
    lines = run(["git", "-C", args.path, "status", "--porcelain=v1", "--branch"]).splitlines()
    return {"branch": lines[0][3:], "changes": [{"state": line[:2].strip(), "path": line[3:]} for line in lines[1:]]}


def service(args):
    try:
        socket.create_connection((args.host, args.port), timeout=args.wait).close()
    except OSError as error:
        return {"reachable": False, "reason": str(error)}
    return {"reachable": True}


def run(command):
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit(done.stderr.strip() or f"{command[0]} failed")
    return done.stdout


def main():
    parser = argparse.ArgumentParser(description="Looks after a machine.")
    commands = parser.add_subparsers(dest="command", required=True)

    command = commands.add_parser("disk", help="Shows how full a disk is")
    command.add_argument("--path", default="/", help="a path on the disk (default: %(default)s)")
    command.set_defaults(run=disk)

    command = commands.add_parser("processes", help="Lists the processes that use most")
    command.add_argument("--sort", choices=["cpu", "memory"], default="cpu", help="by what (default: %(default)s)")
    command.add_argument("--limit", type=int, default=10, metavar="INT", help="how many (default: %(default)s)")
    command.add_argument("--name", help="only those with this in their name")
    command.set_defaults(run=processes)

    command = commands.add_parser("git-status", help="Shows what has changed in a git repository")
    command.add_argument("path", help="the folder of the repository")
    command.set_defaults(run=git_status)

    command = commands.add_parser("service", help="Checks whether a service takes connections")
    command.add_argument("host", help="its host name or address")
    command.add_argument("--port", type=int, required=True, metavar="INT", help="its port")
    command.add_argument("--wait", type=float, default=3, metavar="FLOAT", help="seconds (default: %(default)s)")
    command.set_defaults(run=service)

    args = parser.parse_args()
    print(json.dumps(args.run(args)))


main()
