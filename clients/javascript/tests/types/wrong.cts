// What must not compile from CommonJS either.

import switchboard = require('switchboard');

switchboard.messages.create('c', 'current', { content: 'Hey' }); // wrong
switchboard.Clients; // wrong
export type Nothing = switchboard.Massage; // wrong
