// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these are the shells' own variables
import type { Command, Option } from "commander"

/** The shells that there are completions for. */
export const SHELLS = ["bash", "zsh", "fish"] as const
/** A shell by its name. */
export type Shell = (typeof SHELLS)[number]

/** What a command takes; the program itself is the one without a name. */
interface Completed {
  readonly name: string
  readonly description: string
  readonly options: readonly Option[]
  /** What its first argument can be, where that is one of a few. */
  readonly choices: readonly string[]
}

/** A script that makes a shell complete the commands of a program, their options, and the choices that these have. */
export function completionScript(program: Command, shell: Shell): string {
  const commands = program.commands.map(
    (command): Completed => ({
      name: command.name(),
      description: command.description(),
      options: [...command.options, ...program.options],
      choices: command.registeredArguments[0]?.argChoices ?? [],
    }),
  )
  const make = { bash, zsh, fish }[shell]
  return `${make(commands, program.options).join("\n")}\n`
}

function bash(commands: readonly Completed[], options: readonly Option[]): string[] {
  return [
    "# For ~/.bashrc: source <(sessiondex completion bash)",
    "_sessiondex() {",
    '  local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} command="" words at',
    `  local commands="${commands.map(({ name }) => name).join(" ")}"`,
    "  for ((at = 1; at < COMP_CWORD; at++)); do",
    '    case " $commands " in *" ${COMP_WORDS[at]} "*) command=${COMP_WORDS[at]}; break ;; esac',
    "  done",
    '  case "$command $before" in',
    ...valueCases(commands).map(([at, values]) => `    "${at}") words="${values}" ;;`),
    '    *) case "$command" in',
    ...commands.map((one) => `      ${one.name}) words="${flags(one.options)}" ;;`),
    `      *) words="$commands ${flags(options)}" ;;`,
    "    esac ;;",
    "  esac",
    '  COMPREPLY=($(compgen -W "$words" -- "$word"))',
    "}",
    "complete -o default -F _sessiondex sessiondex",
  ]
}

function zsh(commands: readonly Completed[], options: readonly Option[]): string[] {
  return [
    "#compdef sessiondex",
    "# For ~/.zshrc, after compinit: source <(sessiondex completion zsh)",
    "_sessiondex() {",
    '  local command="" at',
    `  local -a names=(${commands.map(({ name }) => name).join(" ")})`,
    "  local -a commands=(",
    ...commands.map(({ name, description }) => `    ${quoted(`${name}:${description}`)}`),
    "  )",
    "  for ((at = 2; at < CURRENT; at++)); do",
    "    if (( ${names[(Ie)${words[at]}]} )); then command=${words[at]}; break; fi",
    "  done",
    '  case "$command ${words[CURRENT-1]}" in',
    ...valueCases(commands).map(([at, values]) => `    "${at}") compadd -- ${values}; return ;;`),
    "  esac",
    '  case "$command" in',
    ...commands.map((one) => `    ${one.name}) compadd -- ${flags(one.options)}; _files ;;`),
    `    *) _describe command commands; compadd -- ${flags(options)} ;;`,
    "  esac",
    "}",
    "compdef _sessiondex sessiondex",
  ]
}

function fish(commands: readonly Completed[], options: readonly Option[]): string[] {
  const names = commands.map(({ name }) => name).join(" ")
  const option = (condition: string, { long, short, required, argChoices, description }: Option): string =>
    [
      `complete -c sessiondex -n ${quoted(condition)}`,
      ...(long ? [`-l ${long.slice(2)}`] : []),
      ...(short ? [`-s ${short.slice(1)}`] : []),
      ...(argChoices ? [`-x -a ${quoted(argChoices.join(" "))}`] : required ? ["-r"] : []),
      `-d ${quoted(description)}`,
    ].join(" ")
  return [
    "# For ~/.config/fish/completions/sessiondex.fish: sessiondex completion fish",
    ...options.map((one) => option("true", one)),
    ...commands.flatMap(({ name, description, options: all, choices }) => [
      `complete -c sessiondex -n ${quoted(`not __fish_seen_subcommand_from ${names}`)} -a ${name} -d ${quoted(description)}`,
      ...all
        .filter((one) => !options.includes(one))
        .map((one) => option(`__fish_seen_subcommand_from ${name}`, one)),
      ...(choices.length > 0
        ? [
            `complete -c sessiondex -n ${quoted(`__fish_seen_subcommand_from ${name}`)} -a ${quoted(choices.join(" "))}`,
          ]
        : []),
    ]),
  ]
}

/** Behind which command and word which values can stand. */
function valueCases(commands: readonly Completed[]): [at: string, values: string][] {
  return commands.flatMap(({ name, options, choices }) => [
    ...options.flatMap(({ long, argChoices }): [string, string][] =>
      long && argChoices ? [[`${name} ${long}`, argChoices.join(" ")]] : [],
    ),
    ...(choices.length > 0
      ? [[`${name} ${name}`, `${choices.join(" ")} ${flags(options)}`] as [string, string]]
      : []),
  ])
}

function flags(options: readonly Option[]): string {
  return [...options.flatMap(({ long }) => long ?? []), "--help"].join(" ")
}

/** In single quotes, for every one of the shells. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", "’")}'`
}
