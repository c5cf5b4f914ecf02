# The guide in the console.
book-title = Guide
book-lead = The guide of this very version; it is in the program, and needs no network. The search of your browser looks through a page.
book-commands = Commands
book-codes = Codes
book-codes-lead = What stands in documents, in answers of the API and in the journal as a code, in the words of the command line and of the console.
book-exit = Exit statuses of commands
book-reasons = Why a site is unknown, or not proven
book-flaws = What could not be read in a scan
book-warnings = What was not used of a file
book-refusals = Why an act is refused
book-lints = Findings in the configuration of an edge and in inventories
