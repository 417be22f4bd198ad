/** Why a packet is not what its port number promises. A closed list, because the words become metric labels. */
export type Malformed =
  | 'tooShort'
  | 'badCookie'
  | 'notEthernet'
  | 'optionOverrun'
  | 'badOptionLength'
  | 'noMessageType'
  | 'nestedTooDeep'
  | 'noRelayedMessage'
  | 'badHopLimit'
  | 'badCode'
  | 'badSource';
