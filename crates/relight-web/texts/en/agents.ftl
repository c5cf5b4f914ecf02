agents-title = Agents
agents-text = An agent runs on another machine and makes itself known by a certificate of its own. It sends that it is there, and what is on its sites (components, where they lie, digests) when an incident waits for that. It writes the gates of the edges that its administrator named on that machine, when it asks for what is to be done. It sends no file and accepts no command.
agents-no-listener = This server does not listen for agents: relight serve --agent-listen ADDRESS.
agents-column-organisation = Organisation
agents-column-host = Machine
agents-column-enrolled = Enrolled
agents-column-seen = Last heard of
agents-column-version = Version
# own, version
agents-version-other = { $version }, not that of the server ({ $own })
agents-column-certificate = Certificate until
agents-make-code = Make a code
# minutes
agents-host-form = Small letters, digits, dots and hyphens; * stands for any part of a name. A code is good for one agent, within { NUMBER($minutes) } { $minutes ->
    [one] minute
   *[other] minutes
 }.
agents-none = No agent has enrolled.
agents-words = Machine or organisation
agents-revoke = Revoke
agents-revoked = revoked { $at }
agents-ended = ended { $at }
agents-code-title = A code for an agent
agents-code-shown = With this code one agent of { $organisation } enrols on { $host }, until { $until }. It is shown this once; relight agent enrol --server https://… asks for it on that machine.
agents-done-revoked = The agent is let in no more.
# path
agents-no-key = the key of the agents’ certificates cannot be used: { $path }
agents-no-key-remedy = give the file to who runs relight, with mode 600; where it is gone, put it back: with another key every agent has to enrol again (docs: agents)
agents-failed = nothing was done about agents
agents-failed-remedy = make room or mend the data folder, then run the command again; relight agent list shows who is let in
agents-refused-remedy = relight agent list shows who is let in; names of organisations are those of relight sites import

serve-agents = Agents: { $address }
agents-cannot-listen = agents cannot be listened for on { $address }
agents-cannot-listen-remedy = give --agent-listen an address of this machine that nothing else has

agent-not-enrolled = this machine has not enrolled
agent-not-enrolled-remedy = have a code made at the server (page /agents, or relight agent code), then relight agent enrol --server URL --code CODE
agent-identity-remedy = if it is damaged, remove the file, have the agent revoked at the server, and enrol again
# path
agent-known = this machine has enrolled already: { $path }
agent-known-remedy = have that agent revoked at the server and remove { $path } first
# path
agent-runs = an agent of this folder runs already: { $path }
agent-runs-remedy = leave it to that one, or end it first (systemctl stop)
agent-ask = Code:
# host
agent-bad-host = “{ $host }” is no name of a machine
agent-bad-host-remedy = give one with --host: small letters, digits, dots and hyphens
agent-enrolled = enrolled { $host } in { $organisation }, certificate until { $expires }; sends components, where they lie, and digests; never the contents of files, nor commands from the server
agent-in-touch = in touch with { $server } for { $organisation }
agent-is = { $host }, an agent of { $organisation } at { $server }
agent-certificate-left = certificate until { $expires }, { NUMBER($days) } { $days ->
    [one] day
   *[other] days
 } left
agent-certificate-ended = the certificate ended { $expires }: enrol again
agent-last-contact = last contact { $at }
agent-no-contact = no contact yet
agent-silent = nothing has asked the server for longer than that
agent-silent-remedy = start relight agent run as a service, and see that it is not stopped
agent-looks = looks at { $site }
# since, site
agent-looks-since = looks at { $site } since { $since }
agent-looks-late = after six hours the server takes no answer: see whether the disk of this folder hangs, then start the agent again
agent-fault-since = since { $since }: { $what }

# path
agent-bad-file = the file of this agent cannot be used: { $path }
agent-bad-file-remedy = write [sites] and below it SITE = "/whole/path", for 256 sites at most, and [edges.NAME] with kind, gate and listen for each edge of this machine
# most
agent-file-many = there are more than { NUMBER($most) } sites
# site
agent-file-no-name = “{ $site }” is not the short name of a site
# folder, site
agent-file-no-path = { $site }: { $folder } is no whole path
# name, kind, known
agent-edge-no-kind = { $name }: an agent drives no edge of kind { $kind }, but { $known }
# name, setting
agent-edge-no-setting = { $name }: the setting { $setting } is missing in [edges.{ $name }.set]
# most
agent-edges-many = more than { NUMBER($most) } edges
# name
agent-edge-no-name = “{ $name }” is no name of an edge
# name, gate
agent-edge-same-gate = { $name }: another edge has the gate { $gate }
# edge
agent-edge-driven = edge { $edge }: its gate is written here, as the server says
agent-edge-trouble = the edge did not do what it was asked: its sites count as exposed
agent-edge-trouble-remedy = see what stands in the way on this machine: the gate folder, its owner, the settings of the edge in agent.toml
# path, sites
agent-file-again = read { $path } again: { NUMBER($sites) } { $sites ->
    [one] site
   *[other] sites
 }
agent-file-stays = what it said before holds
# path
agent-empty-folder = { $path } holds no file, so nothing was sent: an empty folder would be clear of everything
agent-empty-folder-remedy = see that the disk is mounted and that the path is right
agent-foreign = this site is not this agent’s at the server: nobody asks for it
agent-foreign-remedy = it is of another organisation, is not in the register, or another agent has it: take it out of agent.toml there
# components, site, unread
agent-sent = { $site }: sent { NUMBER($components) } { $components ->
    [one] component
   *[other] components
 }, { NUMBER($unread) } unread

agent-fault-remedy = relight agent status says how the agent stands
agent-fault-bad-address = the address of the server is none
agent-fault-bad-address-remedy = write https://NAME, with :PORT where it is not 8422
agent-fault-bad-code = this is no code
agent-fault-bad-code-remedy = copy all ten groups of it
agent-fault-unreachable = the server does not answer
agent-fault-unreachable-remedy = see that it runs with --agent-listen, and that this machine may reach that port
agent-fault-timed-out = the server did not answer in time
agent-fault-timed-out-remedy = see what it is busy with, or what stands between
agent-fault-stopped = the agent was ended before it was through
agent-fault-stopped-remedy = run it again
agent-fault-other-server = what answers there is not the server that this agent knows
agent-fault-other-server-remedy = check the address; whatever stands between must pass TLS through, not open it. A server with another key needs another code
agent-fault-clock = the clock of this machine is wrong: by it, the server has no certificate that is good
agent-fault-clock-remedy = set the clock
agent-fault-answer = the server answered something that no server of agents says
agent-fault-disk = the identity of this machine could not be written; the certificate that the server gave is lost
agent-fault-disk-remedy = make room, or give --data a folder of who runs the agent; enrolling again needs another code
agent-fault-not-writable = the identity of this machine cannot be written: its next certificate is not asked for, and this one ends
agent-fault-not-writable-remedy = make room, or give the data folder of the agent to who runs it
agent-fault-failed = it did not work
agent-fault-server-failed = the server could not do it: something failed there
agent-fault-server-failed-remedy = look at the server: relight doctor says whether its disk is full or its register cannot be written
agent-fault-not-due = it is not time for the next certificate
agent-fault-malformed = the server does not understand this agent
agent-fault-malformed-remedy = install the version of the server
agent-fault-code-unknown = the server does not know this code: it was used, is over ten minutes old, or was mistyped
agent-fault-code-unknown-remedy = have another one made
agent-fault-bad-proof = the server does not believe that this key is ours
agent-fault-bad-proof-remedy = enrol again with another code
agent-fault-host-not-allowed = the code is not for a machine of this name
agent-fault-host-not-allowed-remedy = enrol with --host NAME, or have a code made for this one
agent-fault-host-taken = another agent of the organisation is let in under the name of this machine
agent-fault-host-taken-remedy = have it revoked at the server first, or enrol with another --host
agent-fault-too-many-trials = more than five codes that are none were tried from here within a minute
agent-fault-too-many-trials-remedy = wait a minute
agent-fault-too-many-agents = the server lets no more agents in
agent-fault-too-many-agents-remedy = have those revoked that are not needed any more
agent-fault-no-organisation = the organisation of the agent is not in the register any more
agent-fault-too-many-sites = the file of this agent names more than 256 sites
agent-fault-too-many-sites-remedy = divide them between agents of this machine that have data folders and names (enrol --host) of their own
agent-fault-not-asked = the server asks for this inventory no more: the next look is sent instead
agent-fault-not-asked-remedy = nothing is to be done
agent-fault-not-an-inventory = the server could not make out the inventory
agent-fault-not-an-inventory-remedy = install the version of the server
agent-fault-busy = the server takes in something else just now; it is sent again
agent-fault-busy-remedy = nothing is to be done
agent-fault-not-let-in = the server lets this agent in no more: it was revoked, or its certificate has ended
agent-fault-not-let-in-remedy = ask at the server first (page /agents, or relight agent list): if it is revoked or has ended there and should be let in, remove agent.identity here and enrol again with another code
agent-fault-foreign-edge = at the server this edge is not this agent’s: nothing is done at its gate
agent-fault-foreign-edge-remedy = at the server, relight edge list says whose it is; relight edge add agent --name EDGE --agent NUMBER --listen ADDRESS names this one (relight agent status says its number)

door-refused-bad-host = The name of a machine has small letters, digits, dots and hyphens; * stands for any part of it.
door-refused-no-organisation = There is no organisation of this name.
door-refused-too-many-codes = A thousand codes wait to be used. They go within ten minutes.
