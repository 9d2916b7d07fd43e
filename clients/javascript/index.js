// The package: a client that takes its daemon and its token from the environment, and all else by name.
'use strict';

const { Client } = require('./src/client.js');
const errors = require('./src/errors.js');
const { List, Page } = require('./src/list.js');
const { Subscription } = require('./src/subscription.js');

module.exports = Object.assign(Client.fromEnvironment(), { Client, List, Page, Subscription, ...errors });
