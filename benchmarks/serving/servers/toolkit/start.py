"""
Start Multi Model Server as the sagemaker-inference toolkit's own entry point does.
"""

from sagemaker_inference import model_server

model_server.start_model_server()
