/** What a shell loads so that it asks `runbook __complete`. Everything that is offered comes from there. */

import type { Shell } from './shells.ts';

const BASH = `# runbook: completion for bash. To install: see \`runbook completion --help\`.
_runbook() {
  local IFS=$'\\n' line
  local -a lines=()
  COMPREPLY=()
  while IFS= read -r line; do lines+=("$line"); done < <(
    command runbook __complete bash "$COMP_LINE" "$COMP_POINT" "$COMP_WORDBREAKS" 2>/dev/null
  )
  COMPREPLY=("\${lines[@]:1}")
  case "\${lines[0]-}" in
    files) compopt -o default 2>/dev/null ;;
    folders) compopt -o dirnames 2>/dev/null ;;
  esac
  if [[ \${#COMPREPLY[@]} -eq 1 && \${COMPREPLY[0]} == *= ]]; then compopt -o nospace 2>/dev/null; fi
}
complete -F _runbook runbook
`;

const ZSH = `#compdef runbook
# runbook: completion for zsh. To install: see \`runbook completion --help\`.
_runbook() {
  local line value about besides
  local -a lines values shown open opened
  lines=("\${(@f)$(command runbook __complete words "\${(@Q)words[2,CURRENT-1]}" "\${(Q)PREFIX}" 2>/dev/null)}")
  besides=$lines[1]
  for line in "\${(@)lines[2,-1]}"; do
    value=\${line%%$'\\t'*}
    about=\${line#*$'\\t'}
    [[ -n $about ]] && about="$value  -- $about" || about=$value
    if [[ $value == *= ]]; then
      open+=("$value"); opened+=("$about")
    elif [[ -n $value ]]; then
      values+=("$value"); shown+=("$about")
    fi
  done
  local found=1
  (( $#values )) && compadd -l -d shown -a -- values && found=0
  (( $#open )) && compadd -S '' -l -d opened -a -- open && found=0
  case $besides in
    files) _files && found=0 ;;
    folders) _files -/ && found=0 ;;
  esac
  return found
}
if [[ $funcstack[1] == _runbook ]]; then _runbook "$@"; else compdef _runbook runbook; fi
`;

const FISH = `# runbook: completion for fish. To install: see \`runbook completion --help\`.
function __runbook_complete
  set -l current (commandline -ct)
  set -l word (string unescape -- $current 2>/dev/null)
  # A quote that is still open is no word yet.
  or set word (string replace -r '^[\\'"]' '' -- $current)
  set -l words (commandline -opc)
  set -l lines (command runbook __complete words $words[2..-1] "$word" 2>/dev/null)
  if test (count $lines) -gt 1
    printf '%s\\n' $lines[2..-1]
  end
  switch "$lines[1]"
    case files
      __fish_complete_path "$word"
    case folders
      __fish_complete_directories "$word" ''
  end
end
complete -c runbook -f -a '(__runbook_complete)'
`;

const SCRIPTS: Readonly<Record<Shell, string>> = { bash: BASH, zsh: ZSH, fish: FISH };

export function completionScript(shell: Shell): string {
  return SCRIPTS[shell];
}
