#!/usr/bin/env python3
"""Example of an edge of kind `command`: `observe` and `apply` for a gate in one JSON file.

Put your own calls (a load balancer, a CDN) where `load` and `store` are. Read JSON from standard
input, write JSON to standard output; end with 0 for done, 75 for "not now", anything else for no.
"""
import fcntl
import json
import os
import sys

ACTION, STATE = sys.argv[1], sys.argv[2]


def load():
    try:
        with open(STATE, encoding="utf-8") as file:
            return json.load(file)
    except FileNotFoundError:
        return {"epoch": None, "durable": [], "runtime": []}


def store(state):
    with open(STATE + ".new", "w", encoding="utf-8") as file:
        json.dump(state, file)
        file.flush()
        os.fsync(file.fileno())
    os.replace(STATE + ".new", STATE)


def view(state, key):
    return {copy: "dark" if key in state[copy] else "lit" for copy in ("durable", "runtime")}


def order(epoch):
    return (epoch["term"], epoch["seq"]) if epoch else (0, 0)


# Half a document, from a caller that died, is an error here and changes nothing.
request = json.load(sys.stdin)
# A program outlives a caller that is killed: one at a time, and no older order after a newer one.
lock = open(STATE + ".lock", "w", encoding="utf-8")
fcntl.flock(lock, fcntl.LOCK_EX)
state = load()
if ACTION == "observe":
    # What is held dark is told whether it was asked for or not, whoever closed it: the next order is
    # the whole set, and what was never told is not in it.
    told = {*request["keys"], *state["durable"], *state["runtime"]}
    keys = {key: view(state, key) for key in sorted(told)}
    answer = {"schema": "relight.edge.observed/1", "epoch": state["epoch"], "keys": keys}
    print(json.dumps(answer))
elif ACTION == "apply":
    if order(request["epoch"]) < order(state["epoch"]):
        sys.exit(1)
    # The whole wanted set, never a difference: twice is once.
    state["epoch"], state[request["stage"]] = request["epoch"], request["dark"]
    store(state)
else:
    sys.exit(64)
