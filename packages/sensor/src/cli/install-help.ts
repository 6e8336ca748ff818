const options = {
  client: '  --client NAME      claude-desktop, claude-code, cursor or vscode; may be repeated',
  server: '  --server NAME      only servers of this name; may be repeated',
  project:
    "  --project DIR      only the project in DIR (default: the user's files and the\n                     project in this folder)",
  dryRun: '  -n, --dry-run      show what would change, and change nothing',
  yes: '  -y, --yes          change without asking',
  home: '  --home DIR         home folder (default: $AFFIDAVIT_HOME, else the XDG data folder)',
  json: '  --json             one JSON object per server',
  help: '  -h, --help         show this help',
}

export const installHelp = `Usage: affidavit install [options]

Puts affidavit in front of the MCP servers of Claude Desktop, Claude Code, Cursor and
VS Code: local servers are started through 'affidavit run', HTTP servers that do not
sign in with OAuth are reached through the local gateway. Shows what it will change in
their configuration files and asks before it does.

Options:
${options.client}
${options.server}
${options.project}
${options.dryRun}
${options.yes}
  --probe            ask remote servers whether they sign in with OAuth (without it,
                     installing does not talk to the network)
  --command WORDS    how clients start affidavit (default: this Node and this script
                     by their paths, which also clients with windows find)
${options.home}
${options.json}
${options.help}

Examples:
  affidavit install --dry-run
      what would change, and why some servers are left as they are
  affidavit install --client cursor --server postgres
      one server of one client
  affidavit install --yes --project .
      the servers of the project in this folder, without asking

Comments, formatting and every byte elsewhere in the files stay; a copy of each file is
kept in the home folder. 'affidavit uninstall' undoes it. Exit code 0: done, or nothing
to do; 1: you said no; 2: a file could not be read or changed.
`

export const uninstallHelp = `Usage: affidavit uninstall [options]

Takes affidavit out of the configuration of MCP clients again: commands and URLs become
what they were, byte for byte. What you edited meanwhile stays.

Options:
${options.client}
${options.server}
${options.project}
${options.dryRun}
${options.yes}
${options.home}
${options.json}
${options.help}

Examples:
  affidavit uninstall --dry-run
      what would change
  affidavit uninstall --client vscode --yes
      one client, without asking

Records, keys and logs in the home folder stay. Exit code 0: done, or nothing to do;
1: you said no; 2: a file could not be read or changed, or a URL is not known any more.
`

export const doctorHelp = `Usage: affidavit doctor [options]

Lists what on this machine is not covered: every server of every MCP client it finds,
whether its calls are recorded and why not, and what covered servers need (program,
gateway, home folder, disk). On Linux also running processes that look like MCP servers
outside affidavit. It changes nothing and asks no server.

Options:
${options.client}
${options.server}
${options.project}
  --plan             what to do about it, most urgent first, with the commands
${options.home}
${options.json}
${options.help}

Examples:
  affidavit doctor
      is anything on this machine not recorded?
  affidavit doctor --plan
      what should I do first?
  affidavit doctor --json
      for monitoring

Exit code 0: everything found is covered; 1: something is not; 2: something could not
be looked at.
`
