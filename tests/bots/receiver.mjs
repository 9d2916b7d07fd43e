// Takes signed calls, turns and events alike, and prints for each what the reference library for Node makes of it: with each
// secret that it is given, and with a body that was changed on the way. What comes to /refused is refused.

import { createServer } from "node:http";
import { createRequire } from "node:module";
import { resolve } from "node:path";

const [oracles, port, ...secrets] = process.argv.slice(2);
const { Webhook } = createRequire(resolve(oracles, "package.json"))("standardwebhooks");

function verifies(secret, body, headers) {
  try {
    new Webhook(secret).verify(body, headers);
    return "ok";
  } catch (refusal) {
    return `refused: ${refusal}`;
  }
}

const server = createServer(async (request, response) => {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  const body = Buffer.concat(chunks).toString();
  const { headers, url: path } = request;
  console.log(JSON.stringify({
    path,
    "webhook-id": headers["webhook-id"],
    "webhook-timestamp": headers["webhook-timestamp"],
    body: JSON.parse(body),
    verifies: secrets.map((secret) => verifies(secret, body, headers)),
    changed: verifies(secrets[0], body.replace("{", "{ "), headers),
  }));
  response.writeHead(path === "/refused" ? 401 : 204).end();
});
server.listen(Number(port), "127.0.0.1", () => console.log("listens"));
