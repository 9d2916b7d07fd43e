const switchboard = require('switchboard');

switchboard.messages.create({CUSTOMER_ID}, {SESSION_ID}, {
  content: 'Hey Ho!',
  content_type: 'text'
})
