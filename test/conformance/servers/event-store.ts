import type { EventStore } from '@modelcontextprotocol/sdk/server/streamableHttp.js'
import type { JSONRPCMessage } from '@modelcontextprotocol/sdk/types.js'

interface StoredEvent {
  streamId: string
  message: JSONRPCMessage
}

/** Keeps the events of one session in memory, in the order in which they happened; an event's id is its place. */
export function createEventStore(): EventStore {
  const events: StoredEvent[] = []
  return {
    async storeEvent(streamId, message) {
      events.push({ streamId, message })
      return String(events.length - 1)
    },
    async replayEventsAfter(lastEventId, { send }) {
      const place = Number(lastEventId)
      const streamId = events[place]?.streamId
      if (streamId === undefined) return ''
      for (const [id, event] of events.entries())
        if (id > place && event.streamId === streamId) await send(String(id), event.message)
      return streamId
    },
  }
}
