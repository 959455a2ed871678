# Qifu 企服助手. The work is in scripts/setup.py; this only finds Python 3.11.
#   make run      fresh machine to serving          make test    fresh machine to all tests passed
#   make setup    everything but serving            make check   linters, types, knowledge base, dialogue data
#   make develop  what make test needs, no tests
#   make lock     write the requirement locks anew  make clean   remove what was built, keep data
# Settings are environment variables: make run QIFU_PORT=9000; QIFU_TENSORFLOW=1 installs the real TensorFlow.

PYTHON ?= $(shell command -v python3.11 || command -v python3)
SETUP = $(PYTHON) scripts/setup.py

.PHONY: run test setup develop check lock clean python

run: python
	@exec $(SETUP) run

test: python
	@exec $(SETUP) test $(PYTEST)

setup develop check: python
	@exec $(SETUP) $@

lock: python
	@exec $(PYTHON) scripts/locks.py $(if $(UPGRADE),--upgrade)

clean:
	rm -rf .venv build *.egg-info packages/*/build packages/*/*.egg-info web/dist web/node_modules models data/generated
	rm -rf .rasa .pytest_cache .mypy_cache .ruff_cache .hypothesis

python:
	@$(if $(PYTHON),$(PYTHON),false) -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' 2>/dev/null || \
	{ echo '需要 Python 3.11，但没有找到；请安装 python3.11（Debian：apt-get install python3.11 python3.11-venv）后再试。'; exit 2; }
