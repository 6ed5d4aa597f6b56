// A certified OpenID Provider (oidc-provider) for the tests: its own pages to log in, one client, people of invention.
// node provider.mjs PORT CLIENT_ID CLIENT_SECRET REDIRECT_URI LOGOUT_URI — a line of JSON on stdin has it change keys.
import { createServer } from "node:http";
import { generateKeyPairSync } from "node:crypto";
import { createInterface } from "node:readline";
import Provider from "oidc-provider";

const [port, client_id, client_secret, redirect_uri, logout_uri] = process.argv.slice(2);
const issuer = `http://127.0.0.1:${port}`;

const key = (kid) => ({
  ...generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey.export({ format: "jwk" }),
  kid, use: "sig", alg: "RS256",
});

// Who logs in as NAME is NAME@norrdalen.example; whose name begins with "un" is not verified.
const account = (sub) => ({
  accountId: sub,
  claims: () => ({ sub, email: `${sub.split("-")[0]}@norrdalen.example`, email_verified: !sub.startsWith("un") }),
});

function provider(kid) {
  const made = new Provider(issuer, {
    clients: [{
      client_id, client_secret, redirect_uris: [redirect_uri], post_logout_redirect_uris: [logout_uri],
      response_types: ["code"], grant_types: ["authorization_code"], token_endpoint_auth_method: "client_secret_basic",
    }],
    jwks: { keys: [key(kid)] },
    claims: { openid: ["sub"], email: ["email", "email_verified"], profile: ["name"] },
    findAccount: (_context, sub) => account(sub),
    pkce: { required: () => true },
    cookies: { keys: ["tests"] },
    features: { devInteractions: { enabled: true } },
  });
  return made.callback();
}

let answer = provider("first");
createServer((request, response) => answer(request, response)).listen(Number(port), "127.0.0.1", () => {
  process.stdout.write("ready\n");
});
createInterface({ input: process.stdin }).on("line", (kid) => {
  answer = provider(kid);
  process.stdout.write(`keys ${kid}\n`);
});
