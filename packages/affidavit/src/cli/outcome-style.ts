import type { Style } from '@affidavit/sensor/cli/terminal'
import type { Priority } from '../query/priority.ts'

/** Green for what worked, yellow for what the other side refused, red for what broke, dim for what is not over. */
export function outcomeStyle(outcome: string | undefined): Style {
  switch (outcome) {
    case undefined:
    case 'continued':
      return 'dim'
    case 'success':
      return 'green'
    case 'tool_error':
    case 'denied':
    case 'cancelled':
    case 'failure':
      return 'yellow'
    default:
      return 'red'
  }
}

/** Of what can wait none. */
export function priorityStyle(priority: Priority): Style | undefined {
  if (priority === 'medium') return 'yellow'
  return priority === 'low' ? undefined : 'red'
}
