using Microsoft.EntityFrameworkCore;
using Platform.Domain.Snapshots;
using Platform.Persistence.Fleets;
using Platform.Persistence.Ingestion;
using Platform.Persistence.Solving;

namespace Platform.Persistence.Tests.Solving;

/// <summary>
/// The definition expects an arrival in twenty seconds: windows of one arrival are as expected, those of a hundred are
/// not.
/// </summary>
public sealed class EarlySolvesTests(TestStore store)
{
    private static readonly DateTimeOffset PeriodOver = TestStore.At.AddSeconds(
        TestStore.Definition.Solving.EverySeconds
    );

    private readonly EarlySolves _early = new(store.Store);
    private DateTimeOffset _now = TestStore.At.AddSeconds(60);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Windows_as_expected_leave_the_timetable_alone()
    {
        var key = await SolvedFleetAsync();
        for (var i = 0; i < 20; i++)
            await StoreAsync(key, arrivals: i % 2);
        await DueAsync(key, PeriodOver, SolveReason.Periodic);
    }

    [Fact]
    public async Task Windows_that_are_not_bring_the_solve_forward_to_now()
    {
        var key = await SolvedFleetAsync();
        await StoreAsync(key, arrivals: 100);
        await DueAsync(key, _now, SolveReason.Instability);
    }

    [Fact]
    public async Task Duplicates_are_not_seen_a_second_time()
    {
        var key = await SolvedFleetAsync();
        var window = Incoming(key, arrivals: 7);
        for (var i = 0; i < 20; i++)
            await store.Intake.StoreAsync([window], _early, _now, Cancel);
        await DueAsync(key, PeriodOver, SolveReason.Periodic);
        await StoreAsync(key, arrivals: 7);
        await StoreAsync(key, arrivals: 7);
        await StoreAsync(key, arrivals: 7);
        await DueAsync(key, _now, SolveReason.Drift);
    }

    [Fact]
    public async Task The_solve_says_why_it_came_and_the_next_comes_by_its_period()
    {
        var key = await SolvedFleetAsync();
        Assert.Equal(SolveReason.Registered, (await ViewAsync(key)).SolveReason);
        await StoreAsync(key, arrivals: 100);
        await SolveAsync(key, _now);
        var view = await ViewAsync(key);
        Assert.Equal((SolveReason.Instability, SolveReason.Periodic), (view.SolveReason, view.DueReason));
        Assert.Equal(_now.AddSeconds(300), view.DueAt);

        Assert.True(await store.Fleets.RequestSolveAsync(key.Tenant, key.Fleet, _now, Cancel));
        await SolveAsync(key, _now);
        Assert.Equal(SolveReason.Requested, (await ViewAsync(key)).SolveReason);
        await SolveAsync(key, _now);
        Assert.Equal(SolveReason.Periodic, (await ViewAsync(key)).SolveReason);
    }

    [Fact]
    public async Task After_a_solve_before_its_time_the_next_one_waits_for_a_tenth_of_the_period()
    {
        var key = await SolvedFleetAsync();
        await UntilDriftAsync(key);
        var solvedAt = _now;
        await SolveAsync(key, solvedAt);
        _now = solvedAt.AddSeconds(7);
        await UntilDriftAsync(key);
        await DueAsync(key, solvedAt.AddSeconds(30), SolveReason.Drift);
    }

    [Fact]
    public async Task Servers_that_cannot_keep_up_wait_for_five_seconds_and_no_tenth()
    {
        var key = await SolvedFleetAsync();
        await StoreAsync(key, arrivals: 100);
        await SolveAsync(key, _now);
        _now = _now.AddSeconds(7);
        for (var i = 0; i < 20 && (await ViewAsync(key)).DueReason == SolveReason.Periodic; i++)
            await StoreAsync(key, arrivals: 10_000);
        await DueAsync(key, _now, SolveReason.Instability);
    }

    /// <summary>
    /// The alarm brings the solve, which knows the traffic as it is now by itself: the alarm is over.
    /// </summary>
    [Fact]
    public async Task An_alarm_of_arrivals_stands_until_the_solve_that_it_brings()
    {
        var key = new FleetKey(TestStore.NewTenant(), "chat");
        var definition = TestStore.Definition with
        {
            Objective = TestStore.Definition.Objective with { AccuracyWeight = 1_000 },
        };
        await store.Fleets.PutAsync(key.Tenant, key.Fleet, definition, null, "ci", TestStore.At, Cancel);
        Assert.True(await store.PublishAsync(key.Tenant, key.Fleet, Cancel));
        for (var i = 0; i < 20 && (await ViewAsync(key)).DueReason != SolveReason.Instability; i++)
            await StoreAsync(key, arrivals: 10);
        var alarm = (await store.LoadAsync(key, Cancel))!.Alarm!;
        Assert.Equal(_now, alarm.Since);
        Assert.Contains((await ViewAsync(key)).Concerns, concern => concern.Code == SolveConcerns.LoadAlarm);

        var basis = (await store.LoadAsync(key, Cancel))!;
        var outcome = SolvePolicy.Solve(basis.Inputs(_now), basis.Previous(_now));
        var snapshot = Assert.IsType<SolveOutcome.Published>(outcome).Snapshot;
        Assert.Null(snapshot.Provenance.Alarm);
        Assert.True(snapshot.Problem.ArrivalRate * snapshot.Solution.MeanServiceSeconds < 1);
        Assert.True(alarm.ArrivalRate * InForceSeconds(basis) > 1);

        await SolveAsync(key, _now);
        Assert.Null((await store.LoadAsync(key, Cancel))!.Alarm);
        Assert.DoesNotContain((await ViewAsync(key)).Concerns, concern => concern.Code == SolveConcerns.LoadAlarm);
    }

    [Fact]
    public async Task An_alarm_ends_by_itself_after_half_a_horizon()
    {
        var key = await SolvedFleetAsync();
        await StoreAsync(key, arrivals: 100);
        var basis = (await store.LoadAsync(key, Cancel))!;
        var half = basis.Fleet.Definition.Solving.HorizonSeconds / 2;
        Assert.NotNull(basis.Inputs(_now.AddSeconds(half - 1)).Alarm);
        Assert.Null(basis.Inputs(_now.AddSeconds(half)).Alarm);
    }

    [Fact]
    public async Task An_alarm_that_was_raised_while_a_solve_was_at_work_outlives_it()
    {
        var key = await SolvedFleetAsync();
        var basis = (await store.LoadAsync(key, Cancel))!;
        await StoreAsync(key, arrivals: 100);
        Assert.True(await store.CommitAsync(TestStore.Solve(basis) with { At = TestStore.At.AddSeconds(61) }, Cancel));
        Assert.NotNull((await store.LoadAsync(key, Cancel))!.Alarm);
    }

    [Fact]
    public async Task Soon_after_a_solve_the_next_one_waits_five_seconds()
    {
        var key = await SolvedFleetAsync();
        _now = TestStore.At.AddSeconds(2);
        await StoreAsync(key, arrivals: 100);
        await DueAsync(key, TestStore.At.AddSeconds(5), SolveReason.Instability);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(60)]
    public async Task A_solve_that_is_due_sooner_or_then_stays_so(int seconds)
    {
        var key = await SolvedFleetAsync();
        var asked = TestStore.At.AddSeconds(seconds);
        await store.Fleets.RequestSolveAsync(key.Tenant, key.Fleet, asked, Cancel);
        await StoreAsync(key, arrivals: 100);
        await DueAsync(key, asked, SolveReason.Requested);
    }

    /// <summary>
    /// The windows were held against what an older solve expected: what counts is whether the allocation of the newer
    /// one carries them.
    /// </summary>
    [Theory]
    [InlineData(1, true)]
    [InlineData(1_000, false)]
    public async Task A_solve_that_came_meanwhile_is_followed_by_another_if_it_expects_as_little(
        double rateFactor,
        bool isFollowed
    )
    {
        var key = await SolvedFleetAsync();
        var older = new SolveStanding(TestStore.At.AddSeconds(-1), await ExpectationAsync(key));
        await store.ExecuteAsync(
            "update platform.fleets set expectation = jsonb_set(expectation::jsonb, '{fleetArrivalRate}', to_jsonb($2::float8 * (expectation::jsonb ->> 'fleetArrivalRate')::float8)) where tenant_id = $1",
            Cancel,
            key.Tenant,
            rateFactor
        );
        await _early.ObserveAsync(key, older, [TestStore.Window(key.Fleet, 100)], _now, Cancel);
        await DueAsync(
            key,
            isFollowed ? _now : PeriodOver,
            isFollowed ? SolveReason.Instability : SolveReason.Periodic
        );
    }

    [Fact]
    public async Task A_solve_at_work_leaves_the_reason_for_the_next_one()
    {
        var key = await SolvedFleetAsync();
        var basis = (await store.LoadAsync(key, Cancel))!;
        await StoreAsync(key, arrivals: 100);
        Assert.True(await store.CommitAsync(TestStore.Solve(basis) with { At = TestStore.At.AddSeconds(61) }, Cancel));
        await DueAsync(key, _now, SolveReason.Instability);
        Assert.Equal(SolveReason.Periodic, (await ViewAsync(key)).SolveReason);
    }

    /// <summary>
    /// The solve is at work or soon will be; each further window would only ask the database in vain.
    /// </summary>
    [Fact]
    public async Task Until_the_next_solve_nothing_is_brought_forward_a_second_time()
    {
        var key = await SolvedFleetAsync();
        await StoreAsync(key, arrivals: 100);
        await store.ExecuteAsync(
            "update platform.fleets set due_at = $2 where tenant_id = $1",
            Cancel,
            key.Tenant,
            PeriodOver
        );
        await StoreAsync(key, arrivals: 100);
        Assert.Equal(PeriodOver, (await ViewAsync(key)).DueAt);
        await SolveAsync(key, _now);
        await StoreAsync(key, arrivals: 10_000);
        await DueAsync(key, _now.AddSeconds(5), SolveReason.Instability);
    }

    [Fact]
    public async Task A_retired_fleet_is_left_alone()
    {
        var key = await SolvedFleetAsync();
        var standing = new SolveStanding(TestStore.At, await ExpectationAsync(key));
        await store.RetireAsync(key.Tenant, key.Fleet, Cancel);
        await _early.ObserveAsync(key, standing, [TestStore.Window(key.Fleet, 100)], _now, Cancel);
        Assert.Equal(
            PeriodOver.UtcDateTime,
            await store.Database.QueryAsync<DateTime>(
                $"select due_at from platform.fleets where tenant_id = '{key.Tenant}'",
                Cancel
            )
        );
    }

    /// <summary>
    /// It would be put off to its period by the one, and brought forward by the other that has not seen it.
    /// </summary>
    [Fact]
    public async Task A_solve_that_is_being_written_is_waited_for()
    {
        var key = await SolvedFleetAsync();
        await using var solve = await store.Store.OpenAsync(key.Tenant, Cancel);
        await solve.LockAsync([EventStore.FleetStream(key.Tenant, key.Fleet)], Cancel);
        var row = await solve.Rows.Fleets.SingleAsync(Cancel);
        (row.SolvedAt, row.DueAt) = (_now, _now.AddSeconds(300));
        await solve.SaveAsync(Cancel);
        var early = StoreAsync(key, arrivals: 100);
        await store.UntilWaitForAsync(solve, others: 1, Cancel);
        await solve.CommitAsync(Cancel);
        await early;

        // The solve that was being written knows nothing of these windows.
        await DueAsync(key, _now.AddSeconds(5), SolveReason.Instability);
    }

    [Fact]
    public async Task What_the_last_solve_expects_outlives_an_alarm_by_an_older_one()
    {
        var key = await SolvedFleetAsync();
        var older = new SolveStanding(TestStore.At, await ExpectationAsync(key));
        await SolveAsync(key, TestStore.At.AddSeconds(10));
        Task alarm;
        await using (var other = await store.Store.OpenAsync(key.Tenant, Cancel))
        {
            await other.LockAsync([EventStore.FleetStream(key.Tenant, key.Fleet)], Cancel);
            alarm = _early.ObserveAsync(key, older, [TestStore.Window(key.Fleet, 100)], _now, Cancel);
            await store.UntilWaitForAsync(other, others: 1, Cancel);
            await _early.ObserveAsync(
                key,
                new SolveStanding(TestStore.At.AddSeconds(10), await ExpectationAsync(key)),
                [],
                _now,
                Cancel
            );
        }

        await alarm;
        await DueAsync(key, _now, SolveReason.Instability);
        await store.ExecuteAsync(
            "update platform.fleets set due_at = $2 where tenant_id = $1",
            Cancel,
            key.Tenant,
            TestStore.At.AddSeconds(310)
        );
        await StoreAsync(key, arrivals: 100);
        await DueAsync(key, _now, SolveReason.Instability);
    }

    [Fact]
    public async Task Beyond_ten_thousand_fleets_all_are_forgotten()
    {
        var key = await SolvedFleetAsync();
        await StoreAsync(key, arrivals: 7);
        await StoreAsync(key, arrivals: 7);
        await StoreAsync(key, arrivals: 7);
        for (var i = 0; i < EarlySolves.MostFleets; i++)
            await _early.ObserveAsync(
                new FleetKey("others", $"{i}"),
                new SolveStanding(TestStore.At, null),
                [],
                _now,
                Cancel
            );
        await StoreAsync(key, arrivals: 7);
        await DueAsync(key, PeriodOver, SolveReason.Periodic);
        await StoreAsync(key, arrivals: 7);
        await StoreAsync(key, arrivals: 7);
        await StoreAsync(key, arrivals: 7);
        await DueAsync(key, _now, SolveReason.Drift);
    }

    [Fact]
    public async Task An_expectation_of_another_version_is_none()
    {
        var key = await SolvedFleetAsync();
        await store.ExecuteAsync(
            "update platform.fleets set expectation = '{}' where tenant_id = $1",
            Cancel,
            key.Tenant
        );
        await StoreAsync(key, arrivals: 100);
        await DueAsync(key, PeriodOver, SolveReason.Periodic);
    }

    [Fact]
    public async Task A_failed_solve_is_due_by_its_period_again()
    {
        var key = await SolvedFleetAsync();
        await StoreAsync(key, arrivals: 100);
        await store.Solves.PostponeAsync(key, "failed: overflow", _now, _now, Cancel);
        await DueAsync(key, _now.AddSeconds(300), SolveReason.Periodic);
    }

    private async Task<FleetKey> SolvedFleetAsync()
    {
        var key = new FleetKey(TestStore.NewTenant(), "chat");
        await store.PutFleetAsync(key.Tenant, key.Fleet, Cancel);
        Assert.True(await store.PublishAsync(key.Tenant, key.Fleet, Cancel));
        return key;
    }

    private async Task SolveAsync(FleetKey key, DateTimeOffset at) =>
        Assert.True(
            await store.CommitAsync(TestStore.Solve((await store.LoadAsync(key, Cancel))!) with { At = at }, Cancel)
        );

    private static IncomingWindow Incoming(FleetKey key, long arrivals) =>
        new(key.Tenant, Guid.NewGuid(), TestStore.Window(key.Fleet, arrivals));

    private async Task StoreAsync(FleetKey key, long arrivals) =>
        Assert.Equal(
            [IntakeOutcome.Stored],
            await store.Intake.StoreAsync([Incoming(key, arrivals)], _early, _now, Cancel)
        );

    /// <summary>Mean service time of the allocation in force by the definition.</summary>
    private static double InForceSeconds(SolveBasis basis) =>
        basis.Fleet.Definition.TaskTypes.Sum(type =>
            type.Share
            * (type.Service.BaseSeconds + (type.Service.SecondsPerToken * basis.Latest!.Summary.Tokens[type.Id]))
        );

    /// <summary>More windows than expected, not so much more that the servers could not keep up.</summary>
    private async Task UntilDriftAsync(FleetKey key)
    {
        for (var i = 0; i < 20 && (await ViewAsync(key)).DueReason != SolveReason.Drift; i++)
            await StoreAsync(key, arrivals: 10);
    }

    private Task<string> ExpectationAsync(FleetKey key) =>
        store.Database.QueryAsync<string>(
            $"select expectation from platform.fleets where tenant_id = '{key.Tenant}'",
            Cancel
        );

    private async Task<FleetView> ViewAsync(FleetKey key) =>
        (await store.Fleets.FindAsync(key.Tenant, key.Fleet, Cancel))!;

    private async Task DueAsync(FleetKey key, DateTimeOffset at, SolveReason reason)
    {
        var view = await ViewAsync(key);
        Assert.Equal((at, reason), (view.DueAt, view.DueReason));
    }
}
