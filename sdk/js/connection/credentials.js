import { RequestError } from "../protocol/errors.js";

/** How the client says which user it is: a token, or a claim that servers in trusted mode accept. */
export class Credentials {
  token;
  userId;
  username;
  #getToken;

  /** @param {{token?, userId?, username?, getToken?: () => string | Promise<string>}} options */
  constructor({ token, userId, username, getToken }) {
    Object.assign(this, { token, userId, username });
    this.#getToken = getToken;
  }

  get isRenewable() {
    return this.#getToken !== undefined;
  }

  /** Fetches the first token, where there is none yet. */
  async prepare() {
    if (this.token === undefined && this.isRenewable) await this.renew();
  }

  /** Fetches a new token. A failure of the application's callback is tried again later, as a server that is away is. */
  async renew() {
    try {
      this.token = await this.#getToken();
    } catch (error) {
      throw new RequestError("token_unavailable", `No token: ${error?.message ?? error}`, true);
    }
  }

  /** The data of `authenticate`. */
  get claim() {
    const { token, userId, username } = this;
    return token !== undefined ? { token } : { userId, username };
  }
}
