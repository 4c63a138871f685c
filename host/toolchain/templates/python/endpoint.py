"""The native interface of Hugging Face's Text Generation Inference: /generate and /generate_stream."""

import json

from aiperf_plugin import Malformed, Plugin, ServerError, Unsupported
from wit_world.exports.endpoint import Chunk, EndpointInfo, Payload, Response, Usage


class Endpoint(Plugin):
    name = "{{name}}"
    version = "0.1.0"
    summary = "{{summary}}"

    def info(self):
        return EndpointInfo("/generate", True, True)

    def build(self, request):
        if len(request.turns) != 1 or any(part.kind != "text" for part in request.turns[0].parts):
            raise Unsupported("the format has one prompt of text, not several turns")
        prompt = "".join(part.value for part in request.turns[0].parts)
        parameters = {"max_new_tokens": request.max_output_tokens, "details": True}
        body = {"inputs": prompt, "parameters": parameters, **json.loads(request.extra or "{}")}
        path = "/generate_stream" if request.streaming else None
        return Payload(path, [], json.dumps(body).encode())

    def parse(self, events, streamed):
        response = Response([], None, None, False)
        for position, event in enumerate(events):
            self.read(response, position, json.loads(event.data))
        return response

    def read(self, response, position, answer):
        if not isinstance(answer, dict):
            raise Malformed(f"event {position}: not an object")
        if "error" in answer:
            raise ServerError(str(answer["error"]))
        token, whole = answer.get("token"), answer.get("generated_text")
        if token is None and whole is None:
            raise Malformed(f"event {position}: neither `token` nor `generated_text`")
        text = whole if token is None else token["text"]
        if text:
            response.chunks.append(Chunk(position, text, None))
        if details := answer.get("details"):
            response.usage = Usage(None, details["generated_tokens"], None, None)
            response.finish_reason = details["finish_reason"]
        response.complete = response.complete or whole is not None
