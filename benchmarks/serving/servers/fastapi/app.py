"""
FastAPI with ``async def`` handlers and pydantic models, as documented; run by uvicorn.
"""

from fastapi import FastAPI
from problem import evaluate, load_model
from pydantic import BaseModel, Field

app = FastAPI()
model = load_model()


class House(BaseModel):
    """The linear model's row."""

    distance: float = Field(gt=0, allow_inf_nan=False)


class Sale(BaseModel):
    """The forest's row."""

    transaction_date: float
    house_age: float
    mrt_distance: float
    convenience_stores: float
    latitude: float
    longitude: float


class Price(BaseModel):
    """One answer."""

    cost: float


class Prices(BaseModel):
    """One answer a row."""

    costs: list[float]


@app.post("/linear")
async def linear(house: House) -> Price:
    """Answer one row for the linear model."""
    return Price(**evaluate(model, {"distance": house.distance}))


@app.post("/forest")
async def forest(sale: Sale) -> Price:
    """Answer one row for the forest."""
    return Price(**evaluate(model, sale.model_dump()))


@app.post("/forest/rows")
async def forest_rows(sales: list[Sale]) -> Prices:
    """Answer a list of rows for the forest."""
    return Prices(**evaluate(model, [sale.model_dump() for sale in sales]))
