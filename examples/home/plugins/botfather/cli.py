#!/usr/bin/env python3
"""Sends messages and clicks buttons at an HTTP endpoint. BOT_ENDPOINT and BOT_TOKEN come from .env."""

import argparse
import json
import os
import urllib.error
import urllib.request


def post(path, body):
    endpoint = os.environ.get("BOT_ENDPOINT")
    if not endpoint:
        raise SystemExit("Set BOT_ENDPOINT in .env to the address of the bot.")
    headers = {"content-type": "application/json"}
    if os.environ.get("BOT_TOKEN"):
        headers["authorization"] = "Bearer " + os.environ["BOT_TOKEN"]
    request = urllib.request.Request(endpoint.rstrip("/") + path, json.dumps(body).encode(), headers)
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.loads(answer.read() or b"{}")
    except urllib.error.HTTPError as error:
        raise SystemExit(f"The bot answered {error.code}: {error.read(500).decode(errors='replace')}")
    except urllib.error.URLError as error:
        raise SystemExit(f"The bot cannot be reached: {error.reason}")


def main():
    parser = argparse.ArgumentParser(description="Talks to a bot.")
    commands = parser.add_subparsers(dest="command", required=True)
    command = commands.add_parser("send-message", help="Sends a message to a chat")
    command.add_argument("chat", help="the chat")
    command.add_argument("text", help="the message")
    command = commands.add_parser("click-button", help="Clicks a button below a message")
    command.add_argument("chat", help="the chat")
    command.add_argument("--message-id", required=True, help="the message with the button")
    command.add_argument("--button", required=True, help="the words on the button")
    args = parser.parse_args()
    if args.command == "send-message":
        print(json.dumps(post("/messages", {"chat": args.chat, "text": args.text})))
    else:
        print(json.dumps(post("/clicks", {"chat": args.chat, "message_id": args.message_id, "button": args.button})))


main()
