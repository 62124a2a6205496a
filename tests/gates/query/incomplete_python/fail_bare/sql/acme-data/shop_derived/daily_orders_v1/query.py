import requests

rows = requests.get("https://shop.acme.example/v1/daily").json()
