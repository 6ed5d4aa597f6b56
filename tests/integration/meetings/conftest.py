"""The meetings service on a database of its own, and who asks it."""

from tests.integration.meetings.test_meetings import api as api
from tests.integration.meetings.test_meetings import service as service
