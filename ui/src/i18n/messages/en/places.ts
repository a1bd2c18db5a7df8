/** The rail, the palette and the places that are too small for a file of their own. */
export const places = {
  'places.label': 'Places',
  'place.home': 'Home',
  'place.models': 'Models',
  'place.outgoing': 'Outgoing',
  'place.settings': 'Settings',

  'palette.open': 'Find a command',
  'palette.label': 'Commands',
  'palette.search': 'What do you want to do?',
  'palette.none': 'No command has these words.',
  'command.place.home': 'Go to Home',
  'command.place.models': 'Go to Models',
  'command.place.outgoing': 'Go to Outgoing',
  'command.place.settings': 'Go to Settings',

  'models.title': 'Models',
  'models.lead': 'What enlarges your pictures. All of it is on this machine.',
  'models.bundled': 'Comes with Frameloom',
  'models.broken': 'Cannot be used',
  'models.licence': 'Licence',
  'models.size': 'Size',
  'models.scale': 'Enlarges',
  'models.hash': 'SHA-256',
  'models.default': 'The source decides which of them is the default.',

  'outgoing.title': 'What left this computer',
  'outgoing.runtime': 'The library that runs the models, ONNX Runtime, reports its use to its maker by default. Frameloom switches that off before the library starts, and does not load it otherwise.',
  'outgoing.check': 'You can check it: pull the plug, and everything goes on working.',
} as const;
