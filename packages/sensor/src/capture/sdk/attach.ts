import type { Connection } from './connection.ts'
import { interceptCallback, isExchange, type SdkTransport } from './transport.ts'

interface Place {
  connection: Connection
  sendOn: SdkTransport['send']
}

/** Transports that are captured already. */
const places = new WeakMap<SdkTransport, Place>()

/**
 * Lets everything that goes through a transport be captured, in place. Asked again, it changes nothing, unless the
 * transport was closed and is used anew. Callbacks that the transport has been given before are intercepted as well.
 */
export function attach(transport: SdkTransport, open: (sendOn: SdkTransport['send']) => Connection): void {
  const known = places.get(transport)
  if (known?.connection.isGone === true) known.connection = open(known.sendOn)
  if (known !== undefined) return
  const sendOn = transport.send.bind(transport)
  const place = { connection: open(sendOn), sendOn }
  places.set(transport, place)
  intercept(transport, place)
}

function intercept(transport: SdkTransport, place: Place): void {
  transport.send = (message, options) => place.connection.send(message, options)
  if (isExchange(transport) && transport.handleMessage !== undefined) {
    const handleOn = transport.handleMessage.bind(transport)
    transport.handleMessage = (message, extra) => place.connection.serve(message, extra, handleOn)
  }
  interceptCallback(transport, 'onmessage', (handler) => {
    place.connection.handler = handler
    return (message, extra) => place.connection.receive(message, extra, handler)
  })
  interceptCallback(transport, 'onclose', (onclose) => () => {
    place.connection.leave()
    onclose()
  })
}
