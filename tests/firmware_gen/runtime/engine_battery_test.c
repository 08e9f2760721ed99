/* SPDX-License-Identifier: Apache-2.0 */
/* What the battery does to the engine, on the model of engine_fixture.h: tiers, brown-outs, the governor. */
#include "engine_fixture.h"

static void the_battery_chooses_the_mode(void) {
    fixture_t f;
    dimmer_t d;
    dimmer_battery_t now = {0, 0, 400, 3300, 0, 0, 0};

    make(&f);
    CHECK(dimmer_init(&d, &f.model, arena(), 64) == DIMMER_OK);
    CHECK(dimmer_report_battery(&d, NULL) == DIMMER_ERR_ARGUMENT);
    CHECK(dimmer_report_battery(&d, &now) == DIMMER_OK);
    CHECK(dimmer_mode(&d) == 1);
    now.charge_permille = 900;
    now.time_s = 3600;
    CHECK(dimmer_report_battery(&d, &now) == DIMMER_OK);
    CHECK(dimmer_mode(&d) == 0);
    f.model.policy.tier_count = 0;
    seal(&f);
    CHECK(dimmer_init(&d, &f.model, arena(), 64) == DIMMER_OK);
    CHECK(dimmer_report_battery(&d, &now) == DIMMER_ERR_POLICY);
}

static void a_policy_may_be_replaced(void) {
    fixture_t f;
    dimmer_t d;
    dimmer_policy_t own;
    dimmer_battery_t now = {0, 0, 400, 3300, 0, 0, 0};

    make(&f);
    memset(&d, 0, sizeof d);
    own = f.model.policy;
    CHECK(dimmer_set_policy(&d, &own) == DIMMER_ERR_INIT);
    CHECK(dimmer_init(&d, &f.model, arena(), 64) == DIMMER_OK);
    CHECK(dimmer_report_battery(&d, &now) == DIMMER_OK);
    CHECK(dimmer_mode(&d) == 1);
    own.tiers[0].min_charge_permille = 300;
    CHECK(dimmer_set_policy(&d, &own) == DIMMER_OK);
    CHECK(dimmer_report_battery(&d, &now) == DIMMER_OK);
    CHECK(dimmer_mode(&d) == 0);
    own.tiers[0].mode = 2;
    CHECK(dimmer_set_policy(&d, &own) == DIMMER_ERR_MODE);
    own.tiers[0].mode = 0;
    own.safe_mode = 2;
    CHECK(dimmer_set_policy(&d, &own) == DIMMER_ERR_MODE);
    own.safe_mode = 1;
    own.tier_count = 0;
    CHECK(dimmer_set_policy(&d, &own) == DIMMER_ERR_POLICY);
    CHECK(dimmer_set_policy(&d, NULL) == DIMMER_OK);
    CHECK(dimmer_report_battery(&d, &now) == DIMMER_OK);
    CHECK(dimmer_mode(&d) == 1);
}

static void without_reports_the_safe_mode_runs(void) {
    fixture_t f;
    dimmer_t d;
    dimmer_battery_t now = {0, 0, 900, 3300, 0, 0, 0};

    make(&f);
    f.model.policy.stale_inferences = 3;
    seal(&f);
    CHECK(dimmer_init(&d, &f.model, arena(), 64) == DIMMER_OK);
    /* Who reports nothing at all chooses the modes. */
    CHECK(ran(&d, "abcC") && ran(&d, "abcC") && ran(&d, "abcC") && ran(&d, "abcC"));
    CHECK(dimmer_report_battery(&d, &now) == DIMMER_OK);
    CHECK(ran(&d, "abcC") && ran(&d, "abcC") && ran(&d, "abcC") && ran(&d, "aC") && ran(&d, "aC"));
    CHECK(dimmer_report_battery(&d, &now) == DIMMER_OK);
    CHECK(ran(&d, "abcC") && ran(&d, "abcC"));
    /* Who reports before each inference never misses one. */
    f.model.policy.stale_inferences = 1;
    seal(&f);
    CHECK(dimmer_init(&d, &f.model, arena(), 64) == DIMMER_OK);
    CHECK(dimmer_report_battery(&d, &now) == DIMMER_OK && ran(&d, "abcC"));
    CHECK(dimmer_report_battery(&d, &now) == DIMMER_OK && ran(&d, "abcC") && ran(&d, "aC"));
}

/* Damages what the seal guards, and reports, in the middle of an inference. */
static void damage_there(dimmer_t *d, uint16_t position, void *user) {
    const dimmer_battery_t now = {0, 0, 900, 3300, 0, 0, 0};

    (void)position;
    ++*(uint32_t *)user;
    d->mode_count ^= 4u;
    CHECK(dimmer_report_battery(d, &now) == DIMMER_ERR_STATE);
}

static void damage_that_a_report_finds_ends_the_inference(void) {
    fixture_t f;
    dimmer_t d;
    dimmer_battery_t now = {0, 0, 900, 3300, 0, 0, 0};
    dimmer_governor_t g;
    uint32_t calls = 0;

    make(&f);
    f.plan.life_s = 86400;
    f.plan.wanted_q8 = 256;
    f.plan.permille_units = 1000;
    f.plan.report_s = 60;
    f.plan.count = 1;
    f.plan.points[0].cost = 1;
    f.model.plan = &f.plan;
    seal(&f);
    CHECK(dimmer_init(&d, &f.model, arena(), 64) == DIMMER_OK);
    CHECK(dimmer_govern(&d, &g) == DIMMER_OK && dimmer_next(&d) == DIMMER_RUN);
    dimmer_on_block(&d, damage_there, &calls);
    CHECK(dimmer_invoke(&d) == DIMMER_ERR_STATE);
    CHECK(calls == 1u);
    CHECK(dimmer_invoke(&d) == DIMMER_ERR_INIT && dimmer_output(&d) == NULL);
    /* A loop of a product asks this next, and would fill an input that is not there. */
    CHECK(dimmer_report_battery(&d, &now) == DIMMER_ERR_INIT && dimmer_next(&d) == DIMMER_STOP);
}

static void brown_out_there(dimmer_t *d, uint16_t position, void *user) {
    if (position == *(const uint16_t *)user) {
        dimmer_brown_out(d);
    }
}

static void a_brown_out_lowers_until_it_is_over(void) {
    fixture_t f;
    dimmer_t d;
    uint16_t position = 1;
    dimmer_battery_t now = {0, 0, 900, 3300, 0, 0, 0};

    make(&f);
    CHECK(dimmer_init(&d, &f.model, arena(), 64) == DIMMER_OK);
    CHECK(dimmer_report_battery(&d, &now) == DIMMER_OK);
    dimmer_on_block(&d, brown_out_there, &position);
    /* In the middle of an inference, from the next position on. */
    CHECK(ran(&d, "aC"));
    CHECK(dimmer_running_mode(&d) == 1);
    dimmer_on_block(&d, NULL, NULL);
    /* Neither the next report nor the next choice undoes it. */
    now.time_s = 1;
    CHECK(dimmer_report_battery(&d, &now) == DIMMER_OK);
    CHECK(dimmer_set_mode(&d, 0) == DIMMER_OK);
    CHECK(ran(&d, "aC"));
    now.time_s = DIMMER_BROWN_OUT_S;
    CHECK(dimmer_report_battery(&d, &now) == DIMMER_OK);
    CHECK(ran(&d, "aC"));
    /* The supply sags once more: the time begins anew. */
    dimmer_brown_out(&d);
    now.time_s += 10;
    CHECK(dimmer_report_battery(&d, &now) == DIMMER_OK);
    now.time_s += DIMMER_BROWN_OUT_S - 1;
    CHECK(dimmer_report_battery(&d, &now) == DIMMER_OK);
    CHECK(ran(&d, "aC"));
    /* A clock that is set is no time. */
    now.time_s -= 100000;
    CHECK(dimmer_report_battery(&d, &now) == DIMMER_OK);
    CHECK(ran(&d, "aC"));
    now.time_s += 1;
    CHECK(dimmer_report_battery(&d, &now) == DIMMER_OK);
    CHECK(ran(&d, "abcC"));
    dimmer_brown_out(&d);
    CHECK(ran(&d, "aC"));
    now.flags = DIMMER_EXTERNAL_POWER;
    CHECK(dimmer_report_battery(&d, &now) == DIMMER_OK);
    CHECK(ran(&d, "abcC"));
    dimmer_brown_out(&d);
    dimmer_recover(&d);
    CHECK(ran(&d, "abcC"));
    /* Gates are lowered, too. */
    make_gated(&f);
    CHECK(dimmer_init(&d, &f.model, arena(), 64) == DIMMER_OK);
    CHECK(dimmer_set_mode(&d, DIMMER_MODE_GATED) == DIMMER_OK);
    dimmer_brown_out(&d);
    CHECK(ran(&d, "aC"));
    CHECK(dimmer_running_mode(&d) == 1);
}

static void plan_for(fixture_t *f) {
    static const dimmer_plan_t plan = {.life_s = 86400,
                                       .sleep_q8 = 256,
                                       .wanted_q8 = 15360,
                                       .permille_units = 1000,
                                       .report_s = 60,
                                       .unit_shift = 4,
                                       .count = 2,
                                       .points = {{100, 1, 10}, {200, 0, 20}}};

    make(f);
    f->plan = plan;
    f->model.plan = &f->plan;
    seal(f);
}

static void a_governor_chooses_the_mode(void) {
    fixture_t f;
    dimmer_t d;
    dimmer_governor_t g;
    dimmer_plan_t own;
    dimmer_battery_t now = {0, 0, 900, 0, 0, 0, 0};
    unsigned bright = 0;
    unsigned i;

    make(&f);
    memset(&d, 0, sizeof d);
    CHECK(dimmer_govern(&d, &g) == DIMMER_ERR_INIT);
    CHECK(dimmer_init(&d, &f.model, arena(), 64) == DIMMER_OK);
    CHECK(dimmer_govern(&d, NULL) == DIMMER_ERR_ARGUMENT);
    CHECK(dimmer_govern(&d, &g) == DIMMER_ERR_PLAN);
    CHECK(dimmer_next(&d) == DIMMER_RUN);
    plan_for(&f);
    own = f.plan;
    CHECK(dimmer_init(&d, &f.model, arena(), 64) == DIMMER_OK);
    CHECK(dimmer_set_plan(&d, &own) == DIMMER_ERR_INIT);
    CHECK(dimmer_govern(&d, &g) == DIMMER_OK);
    CHECK(dimmer_report_battery(&d, &now) == DIMMER_OK);
    /* 14.4 M quanta in a day are 166 a second, less one for sleep, of which an inference a second may take
     * all. */
    CHECK(g.budget >= 160u && g.budget <= 166u);
    for (i = 0; i < 1000u; ++i) {
        CHECK(dimmer_next(&d) == DIMMER_RUN);
        bright += dimmer_mode(&d) == 0u;
        now.time_s = i;
        CHECK(dimmer_report_battery(&d, &now) == DIMMER_OK);
    }
    CHECK(bright > 600u && bright < 680u);
    CHECK(dimmer_governor_life_s(&g) > 85000u && dimmer_governor_life_s(&g) < 86400u);
    /* Another plan, without another program. */
    own.points[1].mode = 3;
    CHECK(dimmer_set_plan(&d, &own) == DIMMER_ERR_MODE);
    own.points[1].mode = 0;
    own.points[1].cost = 100;
    CHECK(dimmer_set_plan(&d, &own) == DIMMER_ERR_PLAN);
    own = f.plan;
    own.unit_shift = 5;
    CHECK(dimmer_set_plan(&d, &own) == DIMMER_ERR_PLAN);
    own = f.plan;
    own.points[0].cost = 300;
    own.points[1].cost = 400;
    CHECK(dimmer_set_plan(&d, &own) == DIMMER_OK);
    CHECK(dimmer_governor_share(&g) > 500u && dimmer_governor_share(&g) < 560u);
    bright = 0;
    for (i = 0; i < 100u; ++i) {
        bright += dimmer_next(&d) == DIMMER_SKIP;
    }
    CHECK(bright > 40u && bright < 55u);
    /* A deadline at run time. */
    CHECK(dimmer_set_plan(&d, &f.plan) == DIMMER_OK);
    CHECK(dimmer_governor_last(&g, 0) == DIMMER_ERR_PLAN);
    CHECK(dimmer_governor_last(&g, 10u * 86400u) == DIMMER_OK);
    now.time_s += 60;
    CHECK(dimmer_report_battery(&d, &now) == DIMMER_OK);
    CHECK(g.budget < 20u);
    CHECK(dimmer_governor_set_charge(&g, 1001) == DIMMER_ERR_ARGUMENT);
    CHECK(dimmer_governor_set_charge(&g, 0) == DIMMER_OK);
    now.charge_permille = DIMMER_UNKNOWN;
    now.time_s += 60;
    CHECK(dimmer_report_battery(&d, &now) == DIMMER_OK);
    CHECK(dimmer_next(&d) == DIMMER_STOP);
    now.flags = DIMMER_EXTERNAL_POWER;
    CHECK(dimmer_report_battery(&d, &now) == DIMMER_OK);
    CHECK(dimmer_next(&d) == DIMMER_RUN);
    CHECK(dimmer_mode(&d) == 0);
    CHECK(d.gating.level == 20);
    /* The tiers again. */
    dimmer_govern_no_more(&d);
    now.flags = 0;
    now.charge_permille = 100;
    CHECK(dimmer_report_battery(&d, &now) == DIMMER_OK);
    CHECK(dimmer_mode(&d) == 1);
    every_flip_is_noticed(&f, &f.plan, sizeof f.plan, "plan");
}

int battery_failures(void) {
    the_battery_chooses_the_mode();
    a_policy_may_be_replaced();
    damage_that_a_report_finds_ends_the_inference();
    without_reports_the_safe_mode_runs();
    a_brown_out_lowers_until_it_is_over();
    a_governor_chooses_the_mode();
    return failures;
}
