"""
Flask, as its quick start has it; run by gunicorn's default worker.
"""

from flask import Flask, Response, jsonify, request
from problem import evaluate, load_model

app = Flask(__name__)
model = load_model()


@app.post("/invocations")
def invoke() -> Response:
    """Answer one row or a list of rows."""
    return jsonify(evaluate(model, request.get_json()))
