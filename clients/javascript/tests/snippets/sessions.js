const switchboard = require('switchboard');

switchboard.sessions.update({CUSTOMER_ID}, {SESSION_ID}, {
  need_attention: true,
  tags: ["mobile"],
  topics: ["sleep", "skin+hair"]
})
