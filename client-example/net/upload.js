import { RequestError, problem } from "./request-error.js";

/** Sends a file as a request's body; `fetch` does not say how far it has come. */
export function upload(url, headers, file, onProgress) {
  const request = new XMLHttpRequest();
  const done = new Promise((resolve, reject) => {
    request.upload.onprogress = ({ loaded, total }) => onProgress(total > 0 ? loaded / total : 0);
    request.onload = () => {
      const answer = parsed(request.responseText);
      if (request.status === 201 || request.status === 200) resolve(answer);
      else reject(problem(request.status, answer));
    };
    request.onerror = () => reject(RequestError.unreachable());
    request.onabort = () => reject(new RequestError("cancelled", "The upload was cancelled."));
  });
  request.open("POST", url);
  for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
  request.setRequestHeader("Content-Type", file.type || "application/octet-stream");
  request.send(file);
  return { done, cancel: () => request.abort() };
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return {};
  }
}
