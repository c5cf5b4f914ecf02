### Help of the command line: `help-<command>`, `option-<command>-<option>` or `option-<option>`.

heading-usage = Usage:
heading-commands = Commands
heading-arguments = Arguments
heading-options = Options
heading-global-options = Global options
note-default = default
note-values = values
note-environment = env

value-command = COMMAND
value-file = FILE
value-dir = DIR
value-n = N

help = See what is affected, take sites dark, prove it, bring each back when it is proven clean.
option-data = Data folder; /var/lib/relight for root, else relight in your folder for data
option-json = JSON instead of text
option-lang = Language of texts; else RELIGHT_LANG and the locale decide
option-color = Colours; NO_COLOR and CLICOLOR_FORCE count with auto
option-no-progress = Draw no progress
option-quiet = Only data and what went wrong
option-help = Show this help
option-version = Show the version

help-scan = List what is in folders and files, and what is known about it
option-targets = Folders or files; nothing in them is executed
option-fail-on = Exit with 10 when a finding is at this level or above
option-depth = Archives inside archives, at most
option-sbom = Also write the inventory as CycloneDX 1.6 JSON (.cdx.json)
option-site = Keep the inventory as the one of this site
help-completions = Print the completion script of a shell
option-shell = Shell
help-help = Show the help of a command
option-help-command = Command

help-demo = December 2021 in a fictional province, from the first alarm to the last light
option-sites = Fictional sites, at most 20,000
option-seed = Seed from which everything follows
option-edge = Proxy in front of the sites
option-serve = Show the wall of lights in the browser and stay until Ctrl-C
option-folder = Work in this folder and keep it
option-resume = Go on with the incident in --folder
