# SPDX-License-Identifier: Apache-2.0
# For the vendor's SDK, as scenario_app/dimmer/dimmer.mk: the libraries that this example takes of it.
override SCENARIO_APP_SUPPORT_LIST := $(APP_TYPE)
APPL_DEFINES += -DDIMMER_ETHOSU_DRIVER
LIB_SEL = pwrmgmt tflmtag2209_u55tag2205
MID_SEL =
override undefine OS_SEL
override TRUSTZONE := y
override TRUSTZONE_TYPE := security
override TRUSTZONE_FW_TYPE := 1
override EPII_USECASE_SEL := drv_user_defined
override LINKER_SCRIPT_FILE := $(SCENARIO_APP_ROOT)/$(APP_TYPE)/dimmer.ld
