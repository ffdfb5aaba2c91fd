import { parsed } from "../protocol/json.js";
import { RequestError, problem } from "../protocol/errors.js";

/**
 * Sends a file as a request's body. A browser reports progress, by `XMLHttpRequest`; elsewhere only the end is reported.
 *
 * @returns {{done: Promise<object>, cancel: () => void}}
 */
export function upload(url, headers, file, onProgress, fetch) {
  const fields = { ...headers, "Content-Type": file.type || "application/octet-stream" };
  return globalThis.XMLHttpRequest ? byRequest(url, fields, file, onProgress) : byFetch(url, fields, file, onProgress, fetch);
}

function byRequest(url, headers, file, onProgress) {
  const request = new XMLHttpRequest();
  const done = new Promise((resolve, reject) => {
    request.upload.onprogress = ({ loaded, total }) => onProgress(total > 0 ? loaded / total : 0);
    request.onload = () => finish(request.status, parsed(request.responseText) ?? {}, resolve, reject);
    request.onerror = () => reject(RequestError.unreachable());
    request.onabort = () => reject(cancelled());
  });
  request.open("POST", url);
  for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
  request.send(file);
  return { done, cancel: () => request.abort() };
}

function byFetch(url, headers, file, onProgress, fetch) {
  const abort = new AbortController();
  const send = async () => {
    const response = await fetch(url, { method: "POST", headers, body: file, signal: abort.signal });
    return [response.status, parsed(await response.text()) ?? {}];
  };
  const done = send().then(
    ([status, answer]) =>
      new Promise((resolve, reject) => {
        onProgress(1);
        finish(status, answer, resolve, reject);
      }),
    () => {
      throw abort.signal.aborted ? cancelled() : RequestError.unreachable();
    },
  );
  return { done, cancel: () => abort.abort() };
}

function finish(status, answer, resolve, reject) {
  if (status === 201 || status === 200) resolve(answer);
  else reject(problem(status, answer));
}

const cancelled = () => new RequestError("cancelled", "The upload was cancelled.");
