### The demo: a fictional province, December 2021.

demo-act-settle = Writing { NUMBER($sites) } fictional sites of { NUMBER($bodies) } public bodies
demo-act-inventory = Taking the inventory
demo-act-watch = Reading 60 days of logs
demo-act-stage = Starting the origins, the edge and the visitors
demo-act-work = Analysing, repairing, relighting
demo-watched = { NUMBER($lines) } log lines, { NUMBER($campaigns) } { $campaigns ->
    [one] campaign
   *[other] campaigns
 }
demo-slow-found = The slow scanner is { $source }. Reconnaissance is not an indication of compromise.
demo-slow-missed = The slow scanner { $source } was not found.
demo-answered = { $question }: { NUMBER($affected) } of { NUMBER($total) } sites affected, { NUMBER($unknown) } unknown, { NUMBER($clear) } clear, in { NUMBER($micros) } µs
demo-dark = { NUMBER($sites) } { $sites ->
    [one] site
   *[other] sites
 } ordered dark and proven dark in { NUMBER($milliseconds) } ms; the clear ones were never touched
demo-progress = ● { NUMBER($online) } online   ○ { NUMBER($dark) } dark   ◆ { NUMBER($affected) } affected   ◇ { NUMBER($fixing) } fixing   ▲ { NUMBER($verifying) } verifying
demo-end-relit = Relit: { NUMBER($clear) } proven clear by analysis, { NUMBER($fixed) } after a verified fix
demo-end-dark = Still dark: { NUMBER($sites) } (archives that nobody could read; nothing is relit on a guess)
demo-end-checks = Against the truth: { NUMBER($unsafe) } unsafe relights, { NUMBER($clear) } false clear, { NUMBER($missed) } missed, { NUMBER($lost) } lost requests on untouched sites, { NUMBER($leaked) } requests at dark origins after proof, of { NUMBER($visits) } visits
demo-end-time = { $seconds } s in all, { NUMBER($memory) } MiB at most
demo-holds = Every check holds.
demo-fails = A check does not hold.
demo-serving-console = The wall of lights: http://{ $address }/
demo-serving-public = The public page: http://{ $address }/
demo-serving-stay = Ctrl-C ends the demo.
option-demo-sites = How many sites, at most 20,000
option-demo-seed = The seed that everything follows from
option-demo-edge = The proxy in front of the sites
option-demo-serve = Show the wall of lights and the public page in the browser, and stay until Ctrl-C
option-demo-folder = Use this folder and keep it, instead of a temporary one
option-demo-resume = Go on with the incident in --folder, whose edge and origins somebody else runs
demo-folder-used = the folder { $folder } holds a demo that was played already
demo-folder-used-remedy = name a folder that is not there yet, or remove that one: --folder DIR
demo-failed = the demo could not be played
demo-failed-remedy = read the detail; with --folder DIR the files stay for a look
option-demo-prepare = Stop before the incident
