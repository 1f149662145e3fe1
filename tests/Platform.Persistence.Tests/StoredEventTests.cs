using Platform.Domain.Allocation;
using Platform.Domain.Contracts;
using Platform.Domain.Fleets;
using Platform.Domain.Ingestion;
using Platform.Domain.Snapshots;
using Platform.Domain.Tenants;

namespace Platform.Persistence.Tests;

/// <summary>
/// Each event as the database of the first day holds it. What was stored then must be read for ever, so a text here is
/// never changed: an event that gains a member gains a text here.
/// </summary>
public sealed class StoredEventTests(TestStore store)
{
    private static readonly DateTimeOffset At = new(2026, 11, 23, 10, 0, 0, 250, TimeSpan.Zero);

    private const string DefinitionText = """
        { "displayName": "Chat, EU", "servers": 2, "dispatch": "Split", "arrivalRate": 0.1,
          "objective": { "accuracyWeight": 30, "maxUtilization": 0.95, "meanTokenBudget": 1000, "maxMeanSystemTimeSeconds": 12.5 },
          "taskTypes": [ { "id": "math", "share": 1, "weight": 0.5, "minTokens": 16, "maxTokens": 32768, "accuracyFloor": 0.25,
                           "service": { "baseSeconds": 0.4, "secondsPerToken": 1e-7 },
                           "accuracy": { "floor": 0.2, "gain": 0.6, "ratePerToken": 0.001 } } ],
          "solving": { "everySeconds": 60, "horizonSeconds": 3600, "minimumGain": 0.01 } }
        """;

    private static readonly FleetDefinition Definition = new()
    {
        DisplayName = "Chat, EU",
        Servers = 2,
        Dispatch = Dispatch.Split,
        ArrivalRate = 0.1,
        Objective = new FleetObjective
        {
            AccuracyWeight = 30,
            MaxUtilization = 0.95,
            MeanTokenBudget = 1_000,
            MaxMeanSystemTimeSeconds = 12.5,
        },
        TaskTypes =
        [
            new TaskType
            {
                Id = "math",
                Share = 1,
                Weight = 0.5,
                MinTokens = 16,
                MaxTokens = 32_768,
                AccuracyFloor = 0.25,
                Service = new ServiceLine(0.4, 1e-7),
                Accuracy = new AccuracyCurve(0.2, 0.6, 0.001),
            },
        ],
        Solving = new SolvingPolicy
        {
            EverySeconds = 60,
            HorizonSeconds = 3_600,
            MinimumGain = 0.01,
        },
    };

    private static readonly (string Name, string Text, object Event)[] Stored =
    [
        (
            "tenant-registered",
            """{ "at": "2026-11-23T10:00:00.25+00:00", "displayName": "A team" }""",
            new TenantRegistered { At = At, DisplayName = "A team" }
        ),
        ("tenant-suspended", """{ "at": "2026-11-23T10:00:00.25+00:00" }""", new TenantSuspended { At = At }),
        (
            "broker-password-issued",
            """{ "at": "2026-11-23T10:00:00.25+00:00" }""",
            new BrokerPasswordIssued { At = At }
        ),
        (
            "api-key-issued",
            """
            { "at": "2026-11-23T10:00:00.25+00:00", "keyId": "AAECAwQFBgcICQoL", "name": "ci", "scopes": [ "read", "ingest" ],
              "expiresAt": "2027-11-23T10:00:00.25+00:00" }
            """,
            new ApiKeyIssued
            {
                At = At,
                KeyId = "AAECAwQFBgcICQoL",
                Name = "ci",
                Scopes = ["read", "ingest"],
                ExpiresAt = At.AddYears(1),
            }
        ),
        (
            "api-key-issued",
            """{ "at": "2026-11-23T10:00:00.25+00:00", "keyId": "AAECAwQFBgcICQoL", "name": "ci", "scopes": [ "audit" ] }""",
            new ApiKeyIssued
            {
                At = At,
                KeyId = "AAECAwQFBgcICQoL",
                Name = "ci",
                Scopes = ["audit"],
            }
        ),
        (
            "api-key-revoked",
            """{ "at": "2026-11-23T10:00:00.25+00:00", "keyId": "AAECAwQFBgcICQoL" }""",
            new ApiKeyRevoked { At = At, KeyId = "AAECAwQFBgcICQoL" }
        ),
        (
            "authentication-failed",
            """{ "at": "2026-11-23T10:00:00.25+00:00", "keyId": "AAECAwQFBgcICQoL", "cause": "revoked", "attempts": 3 }""",
            new AuthenticationFailed
            {
                At = At,
                KeyId = "AAECAwQFBgcICQoL",
                Cause = "revoked",
                Attempts = 3,
            }
        ),
        (
            "webhook-put",
            """{ "at": "2026-11-23T10:00:00.25+00:00", "webhook": "gateway", "receiver": "https://hooks.example.org", "fleets": [ "chat" ], "by": "ci" }""",
            new WebhookPut
            {
                At = At,
                Webhook = "gateway",
                Receiver = "https://hooks.example.org",
                Fleets = ["chat"],
                By = "ci",
            }
        ),
        (
            "webhook-put",
            """{ "at": "2026-11-23T10:00:00.25+00:00", "webhook": "gateway", "receiver": "https://hooks.example.org", "by": "ci" }""",
            new WebhookPut
            {
                At = At,
                Webhook = "gateway",
                Receiver = "https://hooks.example.org",
                By = "ci",
            }
        ),
        (
            "webhook-secret-replaced",
            """{ "at": "2026-11-23T10:00:00.25+00:00", "webhook": "gateway", "by": "ci" }""",
            new WebhookSecretReplaced
            {
                At = At,
                Webhook = "gateway",
                By = "ci",
            }
        ),
        (
            "webhook-removed",
            """{ "at": "2026-11-23T10:00:00.25+00:00", "webhook": "gateway", "by": "ci" }""",
            new WebhookRemoved
            {
                At = At,
                Webhook = "gateway",
                By = "ci",
            }
        ),
        (
            "webhook-disabled",
            """{ "at": "2026-11-23T10:00:00.25+00:00", "webhook": "gateway", "reason": "answered 410" }""",
            new WebhookDisabled
            {
                At = At,
                Webhook = "gateway",
                Reason = "answered 410",
            }
        ),
        (
            "fleet-registered",
            $$"""{ "at": "2026-11-23T10:00:00.25+00:00", "by": "ci", "definition": {{DefinitionText}} }""",
            new FleetRegistered
            {
                At = At,
                By = "ci",
                Definition = Definition,
            }
        ),
        (
            "fleet-revised",
            $$"""{ "at": "2026-11-23T10:00:00.25+00:00", "by": "ci", "definition": {{DefinitionText}} }""",
            new FleetRevised
            {
                At = At,
                By = "ci",
                Definition = Definition,
            }
        ),
        (
            "fleet-retired",
            """{ "at": "2026-11-23T10:00:00.25+00:00", "by": "ci" }""",
            new FleetRetired { At = At, By = "ci" }
        ),
        (
            "allocation-published",
            """{ "at": "2026-11-23T10:00:00.25+00:00", "version": 7, "hash": "d77514aa", "revision": 3, "workloadVersion": 5000000000 }""",
            new AllocationPublished
            {
                At = At,
                Version = 7,
                Hash = "d77514aa",
                Revision = 3,
                WorkloadVersion = 5_000_000_000,
            }
        ),
        (
            "allocation-published",
            """
            { "at": "2026-11-23T10:00:00.25+00:00", "version": 8, "hash": "d77514aa", "revision": 3, "workloadVersion": 1,
              "proposedUntil": "2026-11-24T10:00:00.25+00:00" }
            """,
            new AllocationPublished
            {
                At = At,
                Version = 8,
                Hash = "d77514aa",
                Revision = 3,
                WorkloadVersion = 1,
                ProposedUntil = At.AddDays(1),
            }
        ),
        (
            "allocation-published",
            """
            { "at": "2026-11-23T10:00:00.25+00:00", "version": 8, "hash": "d77514aa", "revision": 3, "workloadVersion": 1,
              "emergency": "version 7 gave the servers 1.3 times the work that they can do", "shortfall": "unstable: the fewest" }
            """,
            new AllocationPublished
            {
                At = At,
                Version = 8,
                Hash = "d77514aa",
                Revision = 3,
                WorkloadVersion = 1,
                Emergency = "version 7 gave the servers 1.3 times the work that they can do",
                Shortfall = "unstable: the fewest",
            }
        ),
        (
            "allocation-approved",
            """{ "at": "2026-11-23T10:00:00.25+00:00", "version": 8, "reason": "looked at", "by": "ann" }""",
            new AllocationApproved
            {
                At = At,
                Version = 8,
                Reason = "looked at",
                By = "ann",
            }
        ),
        (
            "allocation-pinned",
            """{ "at": "2026-11-23T10:00:00.25+00:00", "version": 7, "reason": "roll back", "by": "ann" }""",
            new AllocationPinned
            {
                At = At,
                Version = 7,
                Reason = "roll back",
                By = "ann",
            }
        ),
        (
            "allocation-unpinned",
            """{ "at": "2026-11-23T10:00:00.25+00:00", "reason": "mended", "by": "ann" }""",
            new AllocationUnpinned
            {
                At = At,
                Reason = "mended",
                By = "ann",
            }
        ),
        (
            "workload-voided",
            """
            { "at": "2026-11-23T10:00:00.25+00:00", "messageId": "3f2504e0-4f89-41d3-9a0c-0305e82c3301", "reason": "a counter sent as a delta",
              "by": "ann", "windows": 1, "arrivals": 1200000, "workloadVersion": 5000000000 }
            """,
            new WorkloadVoided
            {
                At = At,
                MessageId = new Guid("3f2504e0-4f89-41d3-9a0c-0305e82c3301"),
                Reason = "a counter sent as a delta",
                By = "ann",
                Windows = 1,
                Arrivals = 1_200_000,
                WorkloadVersion = 5_000_000_000,
            }
        ),
        (
            "workload-voided",
            """
            { "at": "2026-11-23T10:00:00.25+00:00", "from": "2026-11-23T09:00:00.25+00:00", "to": "2026-11-23T10:00:00.25+00:00",
              "reason": "a load test", "by": "ann", "windows": 360, "arrivals": 9007199254740991, "workloadVersion": 361 }
            """,
            new WorkloadVoided
            {
                At = At,
                From = At.AddHours(-1),
                To = At,
                Reason = "a load test",
                By = "ann",
                Windows = 360,
                Arrivals = 9_007_199_254_740_991,
                WorkloadVersion = 361,
            }
        ),
        (
            "workload-window-recorded",
            """
            { "messageId": "3f2504e0-4f89-41d3-9a0c-0305e82c3301",
              "window": { "fleet": "chat-eu", "windowStart": "2026-11-23T09:59:50.25+00:00", "windowEnd": "2026-11-23T10:00:00.25+00:00",
                "tasks": [
                  { "taskType": "math", "arrivals": 12,
                    "service": { "completions": 11, "tokens": 8800, "tokensSquared": 7216000, "tokensGranted": 8932,
                                 "millis": 180400, "millisSquared": 2990000000, "tokenMillis": 146000000 },
                    "system": { "completions": 11, "millis": 231000, "millisSquared": 5100000000 },
                    "accuracy": [ { "tokens": 512, "trials": 10, "correct": 7 } ] },
                  { "taskType": "code", "arrivals": 0,
                    "service": { "completions": 1, "tokens": 2, "tokensSquared": 4, "answerTokens": 1210,
                                 "millis": 3, "millisSquared": 9, "tokenMillis": 6 } },
                  { "taskType": "math-batched", "arrivals": 0,
                    "service": { "completions": 1, "tokens": 2, "tokensSquared": 4,
                                 "concurrency": { "tokens": 1212, "inService": 9007199254740991 },
                                 "millis": 3, "millisSquared": 9, "tokenMillis": 6 } },
                  { "taskType": "chat", "arrivals": 9007199254740991 } ] } }
            """,
            new WorkloadWindowRecorded
            {
                MessageId = new Guid("3f2504e0-4f89-41d3-9a0c-0305e82c3301"),
                Window = new WorkloadWindow
                {
                    Fleet = "chat-eu",
                    WindowStart = At.AddSeconds(-10),
                    WindowEnd = At,
                    Tasks =
                    [
                        new TaskWindow
                        {
                            TaskType = "math",
                            Arrivals = 12,
                            Service = new ServiceSums
                            {
                                Completions = 11,
                                Tokens = 8_800,
                                TokensSquared = 7_216_000,
                                TokensGranted = 8_932,
                                Millis = 180_400,
                                MillisSquared = 2_990_000_000,
                                TokenMillis = 146_000_000,
                            },
                            System = new SystemSums
                            {
                                Completions = 11,
                                Millis = 231_000,
                                MillisSquared = 5_100_000_000,
                            },
                            Accuracy =
                            [
                                new AccuracyCount
                                {
                                    Tokens = 512,
                                    Trials = 10,
                                    Correct = 7,
                                },
                            ],
                        },
                        new TaskWindow
                        {
                            TaskType = "code",
                            Arrivals = 0,
                            Service = new ServiceSums
                            {
                                Completions = 1,
                                Tokens = 2,
                                TokensSquared = 4,
                                AnswerTokens = 1_210,
                                Millis = 3,
                                MillisSquared = 9,
                                TokenMillis = 6,
                            },
                        },
                        new TaskWindow
                        {
                            TaskType = "math-batched",
                            Arrivals = 0,
                            Service = new ServiceSums
                            {
                                Completions = 1,
                                Tokens = 2,
                                TokensSquared = 4,
                                Millis = 3,
                                MillisSquared = 9,
                                TokenMillis = 6,
                                Concurrency = new ConcurrencySums { Tokens = 1_212, InService = 9_007_199_254_740_991 },
                            },
                        },
                        new TaskWindow { TaskType = "chat", Arrivals = 9_007_199_254_740_991 },
                    ],
                },
            }
        ),
    ];

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public void There_is_a_stored_example_of_every_event() =>
        Assert.Equal(
            EventStore.EventNames.Values.Order(StringComparer.Ordinal),
            Stored.Select(it => it.Name).Distinct().Order(StringComparer.Ordinal)
        );

    [Fact]
    public async Task What_was_stored_is_read_to_the_same_objects()
    {
        var (tenant, stream) = (TestStore.NewTenant(), new Guid("11111111-0000-4000-8000-000000000001"));
        await InsertAsync(tenant, stream);

        await using var session = await store.Store.OpenAsync(tenant, Cancel);
        var read = await session.ReadAsync(stream, after: 0, limit: 100, Cancel);

        Assert.Equal(Stored.Select(it => it.Event.GetType()), read.Select(e => e.EventType));
        Assert.Equal(Stored.Select(it => it.Name), read.Select(e => e.EventTypeName));
        Assert.All(
            read.Zip(Stored),
            pair => Assert.Equal(CanonicalJson.Write(pair.Second.Event), CanonicalJson.Write(pair.First.Data))
        );
    }

    [Fact]
    public async Task What_is_stored_today_is_what_was_stored_then()
    {
        var (tenant, stream) = (TestStore.NewTenant(), new Guid("11111111-0000-4000-8000-000000000002"));
        await using (var session = await store.Store.OpenAsync(tenant, Cancel))
        {
            foreach (var (_, _, happened) in Stored)
                session.Append(stream, null, happened);
            await session.CommitAsync(Cancel);
        }

        foreach (var (i, (name, text, _)) in Stored.Index())
        {
            var row =
                $"from events.mt_events where tenant_id = '{tenant}' and stream_id = '{stream}' and version = {i + 1}";
            Assert.Equal(name, await store.Database.QueryAsync<string>($"select type {row}", Cancel));
            Assert.True(
                await store.Database.QueryAsync<bool>($"select data = '{text}'::jsonb {row}", Cancel),
                await store.Database.QueryAsync<string>($"select data::text {row}", Cancel)
            );
        }
    }

    /// <summary>Rows as Marten writes them, by hand: no code of today takes part in the writing.</summary>
    private async Task InsertAsync(string tenant, Guid stream)
    {
        await store.ExecuteAsync(
            "insert into events.mt_streams (id, type, version, tenant_id) values ($1, null, $2, $3)",
            Cancel,
            stream,
            (long)Stored.Length,
            tenant
        );
        foreach (var (i, (name, text, _)) in Stored.Index())
        {
            await store.ExecuteAsync(
                """
                insert into events.mt_events (seq_id, id, stream_id, version, data, type, tenant_id, mt_dotnet_type)
                values (nextval('events.mt_events_sequence'), $1, $2, $3, $4::jsonb, $5, $6, null)
                """,
                Cancel,
                new Guid($"11111111-0000-4000-9000-{i:d12}"),
                stream,
                (long)i + 1,
                text,
                name,
                tenant
            );
        }
    }
}
