"""dj-stripe's own addresses: the webhook of each endpoint."""

from django.urls import include, path

urlpatterns = [path("stripe/", include("djstripe.urls", namespace="djstripe"))]
