"""
LitServe: one API process, one worker process a device, no batching, as its quick start has it.
"""

import argparse
from typing import Any

import litserve
from problem import evaluate, load_model


class Evaluation(litserve.LitAPI):
    """The four steps that LitServe asks for."""

    def setup(self, device: str) -> None:  # noqa: ARG002 (LitServe's signature)
        """Load the model in the worker."""
        self.model = load_model()

    def decode_request(self, request):  # noqa: ANN001, ANN201 (LitServe reads annotations)
        """Take the parsed body as it is."""
        return request

    def predict(self, payload: Any) -> dict[str, Any]:  # noqa: ANN401 (parsed JSON)
        """Answer one row or a list of rows."""
        return evaluate(self.model, payload)

    def encode_response(self, output: dict[str, Any]) -> dict[str, Any]:
        """Hand out the answer as it is."""
        return output


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--workers", type=int, required=True)
    arguments = parser.parse_args()
    server = litserve.LitServer(
        Evaluation(api_path="/invocations"),
        accelerator="cpu",
        workers_per_device=arguments.workers,
    )
    server.run(
        host="127.0.0.1",
        port=arguments.port,
        num_api_servers=arguments.workers,
        log_level="warning",
        generate_client_file=False,
    )
