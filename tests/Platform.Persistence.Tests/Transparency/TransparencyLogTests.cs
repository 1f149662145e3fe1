using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Platform.Domain.Fleets;
using Platform.Domain.Snapshots;
using Platform.Domain.Transparency;
using Platform.Persistence.Transparency;

namespace Platform.Persistence.Tests.Transparency;

/// <summary>
/// The log as auditors rely on it: complete, in order, provable; and whoever tampers with it, with whatever rights, is
/// found out.
/// </summary>
public sealed class TransparencyLogTests(TestStore store) : IDisposable
{
    private readonly string _tenant = TestStore.NewTenant();
    private readonly LogSigner _signer = new([.. Enumerable.Repeat((byte)7, 32)]);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private TransparencyLog Log => new(store.Store);

    public void Dispose() => _signer.Dispose();

    [Fact]
    public async Task Everything_that_is_decided_comes_into_the_log_once_in_the_order_in_which_it_was_decided()
    {
        await store.RegisterTenantAsync(_tenant, Cancel);
        await LoggedAsync(2);
        await DecideAsync(fleet => Fleet.PinVersion(fleet, 1, "hold", "ann", TestStore.At));
        Assert.Contains(_tenant, await Log.WaitingTenantsAsync(1_000, Cancel));
        Assert.Equal(1, await AppendAsync());
        Assert.Equal(0, await AppendAsync());
        Assert.DoesNotContain(_tenant, await Log.WaitingTenantsAsync(1_000, Cancel));

        var entries = await Log.EntriesAsync(_tenant, -1, 100, Cancel);
        Assert.Equal(
            [
                "tenant-registered",
                "api-key-issued",
                "fleet-registered",
                "allocation-published",
                "allocation-published",
                "allocation-pinned",
            ],
            entries.Select(entry => entry.Event)
        );
        Assert.Equal(Enumerable.Range(0, 6).Select(i => (long)i), entries.Select(entry => entry.Index));
        Assert.Equal(
            entries.Skip(3).Take(2),
            await Log.EntriesAsync(_tenant, 2, 2, Cancel),
            (one, other) => one.LeafHash == other.LeafHash
        );
        Assert.Empty(await VerifyAsync());
    }

    [Fact]
    public async Task A_version_is_proven_by_a_few_lines_and_a_key()
    {
        await LoggedAsync(5);
        await store.PutFleetAsync(_tenant, "other", Cancel);
        await AppendAsync();
        var checkpoint = (await Log.CheckpointAsync(_tenant, Cancel))!;
        for (var version = 1; version <= 5; version++)
        {
            var proof = (await Log.InclusionAsync(_tenant, "chat", version, Cancel))!;
            Assert.Equal(checkpoint.Note, proof.Checkpoint);
            var snapshot = (await store.Snapshots.FindVersionAsync(_tenant, "chat", version, Cancel))!;
            // What an auditor does who trusts nothing but the key: the snapshot's hash is in the leaf, the leaf in the
            // root, the root is signed.
            Assert.Equal(
                AllocationSnapshot.HashOf(snapshot.Document),
                (string?)JsonNode.Parse(proof.Leaf)!["data"]!["hash"]
            );
            var lines = proof.Checkpoint.Split('\n');
            Assert.Equal(
                lines[2],
                Root(SHA256.HashData([0, .. Encoding.UTF8.GetBytes(proof.Leaf)]), proof.Index, proof.Size, proof.Proof)
            );
            Assert.True(SignedNote.TryParse(proof.Checkpoint, out var note));
            Assert.True(NoteVerifier.TryParse(checkpoint.Verifier, out var verifier));
            Assert.True(LogSigner.HasSigned(verifier, note));
            Assert.False(
                LogSigner.HasSigned(
                    verifier,
                    note with
                    {
                        Text = note.Text.Replace("\n7\n", "\n8\n", StringComparison.Ordinal),
                    }
                )
            );
        }

        Assert.Null(await Log.InclusionAsync(_tenant, "chat", 6, Cancel));
    }

    [Fact]
    public void A_note_that_the_reference_implementation_signed_is_verified()
    {
        // From the documentation of golang.org/x/mod/sumdb/note.
        Assert.True(
            NoteVerifier.TryParse(
                "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
                out var verifier
            )
        );
        Assert.True(
            SignedNote.TryParse(
                """
                If you think cryptography is the answer to your problem,
                then you don't know what your problem is.

                — PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=

                """,
                out var note
            )
        );
        Assert.True(LogSigner.HasSigned(verifier, note));
    }

    [Fact]
    public async Task An_earlier_checkpoint_is_proven_to_be_the_beginning_of_a_later_one()
    {
        await LoggedAsync(2);
        var earlier = (await Log.CheckpointAsync(_tenant, Cancel))!;
        for (var i = 0; i < 4; i++)
            Assert.True(await store.PublishAsync(_tenant, "chat", Cancel));
        await AppendAsync();
        Assert.Equal(3, earlier.Size);
        // 3 leaves in 7: [c], [d], [0,2), [4,7) (RFC 6962, 2.1.3).
        Assert.Equal(4, (await Log.ConsistencyAsync(_tenant, 3, 7, Cancel))!.Count);
        Assert.Null(await Log.ConsistencyAsync(_tenant, 3, 8, Cancel));
        Assert.Null(await Log.ConsistencyAsync(_tenant, 0, 7, Cancel));
        Assert.Empty(await VerifyAsync(new KeptCheckpoint(earlier.Note, null)));
    }

    [Fact]
    public async Task Each_tenant_whose_log_has_something_waiting_is_named_once()
    {
        string[] tenants = [_tenant, TestStore.NewTenant(), TestStore.NewTenant()];
        foreach (var tenant in tenants)
        {
            await store.PutFleetAsync(tenant, "chat", Cancel);
            await store.PutFleetAsync(tenant, "other", Cancel);
        }

        var waiting = await Log.WaitingTenantsAsync(10_000, Cancel);
        Assert.Equal(waiting.Distinct(), waiting);
        Assert.Subset(waiting.ToHashSet(), tenants.ToHashSet());
        Assert.Single(await Log.WaitingTenantsAsync(1, Cancel));
        await AppendAsync();
        Assert.DoesNotContain(_tenant, await Log.WaitingTenantsAsync(10_000, Cancel));
    }

    [Fact]
    public async Task Two_workers_at_once_log_each_decision_once()
    {
        await store.PutFleetAsync(_tenant, "chat", Cancel);
        for (var round = 0; round < 5; round++)
        {
            Assert.True(await store.PublishAsync(_tenant, "chat", Cancel));
            await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => AppendAsync()));
        }

        await AppendAsync();
        Assert.Equal(6, (await Log.CheckpointAsync(_tenant, Cancel))!.Size);
        Assert.Empty(await VerifyAsync());
    }

    /// <summary>
    /// What somebody with all rights on the database may do: what is changed, and what is said of it.
    /// </summary>
    public static TheoryData<string, int?, string> Tampering =>
        new()
        {
            {
                "update events.mt_events set data = jsonb_set(data, '{hash}', '\"00\"') where {0} and type = 'allocation-published' and data ->> 'version' = '2'",
                2,
                "is not the one that was logged"
            },
            {
                "update events.mt_events set data = jsonb_set(data, '{at}', '\"2026-11-23T10:00:01+00:00\"') where {0} and type = 'allocation-published' and data ->> 'version' = '3'",
                3,
                "is not the one that was logged"
            },
            {
                "update events.mt_events set data = jsonb_set(data, '{by}', '\"somebody else\"') where {0} and type = 'fleet-registered'",
                null,
                "is not the one that was logged"
            },
            {
                "delete from events.mt_events where {0} and type = 'allocation-published' and data ->> 'version' = '2'",
                2,
                "is gone"
            },
            {
                "delete from platform.log_entries where {0} and allocation_version = 2",
                3,
                "entry 2 of the log is missing"
            },
            {
                "delete from platform.log_entries where {0} and allocation_version = 3",
                null,
                "has 4 entries, and the log has 3"
            },
            {
                "update platform.log_entries set leaf_hash = '\\x00' where {0} and allocation_version = 2",
                2,
                "is not the one that was logged"
            },
            {
                "update platform.log_entries set stream_version = stream_version + 100 where {0} and allocation_version = 3",
                3,
                "of its stream"
            },
            {
                "update platform.log_checkpoints set note = replace(note, e'\\n4\\n', e'\\n3\\n') where {0}",
                null,
                "is not signed by the log's key"
            },
            { "delete from platform.log_checkpoints where {0}", null, "the log has entries, and no checkpoint" },
        };

    [Theory]
    [MemberData(nameof(Tampering))]
    public async Task Whatever_is_tampered_with_is_named(string sql, int? version, string fault)
    {
        await LoggedAsync(3);
        await TamperAsync(sql);
        Assert.Contains(
            await VerifyAsync(),
            it => it.Version == version && it.Fault.Contains(fault, StringComparison.Ordinal)
        );
    }

    [Fact]
    public async Task A_log_that_was_made_anew_with_its_key_is_betrayed_by_a_checkpoint_that_was_kept()
    {
        await LoggedAsync(3);
        var kept = new KeptCheckpoint(
            (await Log.CheckpointAsync(_tenant, Cancel))!.Note,
            _signer.VerifierOf(Checkpoint.OriginOf(_tenant))
        );
        Assert.Empty(await VerifyAsync(kept));

        await TamperAsync(
            "update events.mt_events set data = jsonb_set(data, '{by}', '\"somebody else\"') where {0} and type = 'fleet-registered'"
        );
        foreach (var table in (string[])["log_entries", "log_nodes", "log_checkpoints"])
            await TamperAsync($"delete from platform.{table} where {{0}}");
        await TamperAsync(
            "insert into platform.log_queue (tenant_id, stream_id, fleet_id) select distinct tenant_id, stream_id, 'chat' from events.mt_events where {0}"
        );
        Assert.Equal(4, await AppendAsync());

        Assert.Empty(await VerifyAsync());
        Assert.Contains(
            "another root at 4 entries",
            Assert.Single(await VerifyAsync(kept)).Fault,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public async Task A_log_whose_end_was_cut_off_is_betrayed_by_a_checkpoint_that_was_kept()
    {
        await LoggedAsync(1);
        var earlier = (await Log.CheckpointAsync(_tenant, Cancel))!;
        Assert.True(await store.PublishAsync(_tenant, "chat", Cancel));
        await AppendAsync();
        var kept = new KeptCheckpoint((await Log.CheckpointAsync(_tenant, Cancel))!.Note, null);

        await TamperAsync("delete from events.mt_events where {0} and data ->> 'version' = '2'");
        await TamperAsync("delete from platform.log_entries where {0} and allocation_version = 2");
        await TamperAsync($"delete from platform.log_checkpoints where {{0}} and size > {earlier.Size}");
        Assert.Empty(await VerifyAsync());
        Assert.Contains("its end is cut off", Assert.Single(await VerifyAsync(kept)).Fault, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_checkpoint_of_another_log_or_by_another_key_is_refused()
    {
        await LoggedAsync(1);
        var own = new Checkpoint(Checkpoint.OriginOf(_tenant), 0, MerkleTree.EmptyRoot);
        using var stranger = new LogSigner([.. Enumerable.Repeat((byte)8, 32)]);
        Assert.Contains(
            "is not signed",
            Assert.Single(await VerifyAsync(new KeptCheckpoint(stranger.Sign(own).ToString(), null))).Fault,
            StringComparison.Ordinal
        );
        Assert.Contains(
            "is that of",
            Assert
                .Single(
                    await VerifyAsync(
                        new KeptCheckpoint(
                            _signer.Sign(own with { Origin = Checkpoint.OriginOf("other") }).ToString(),
                            null
                        )
                    )
                )
                .Fault,
            StringComparison.Ordinal
        );
        Assert.Contains(
            "cannot be read",
            Assert.Single(await VerifyAsync(new KeptCheckpoint("nonsense", null))).Fault,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public async Task An_event_that_was_put_in_without_the_log_is_named()
    {
        await LoggedAsync(1);
        Assert.True(await store.PublishAsync(_tenant, "chat", Cancel));
        await TamperAsync("delete from platform.log_queue where {0}");
        Assert.Equal(
            new LogFault("chat", null, "decision 3 of the fleet is not in the log"),
            Assert.Single(await VerifyAsync())
        );
    }

    [Fact]
    public async Task A_stranger_sees_nothing_of_it()
    {
        await LoggedAsync(1);
        var stranger = TestStore.NewTenant();
        Assert.Empty(await Log.EntriesAsync(stranger, -1, 10, Cancel));
        Assert.Null(await Log.CheckpointAsync(stranger, Cancel));
        Assert.Null(await Log.InclusionAsync(stranger, "chat", 1, Cancel));
        Assert.Null(await Log.ConsistencyAsync(stranger, 1, 1, Cancel));
    }

    private async Task LoggedAsync(int versions)
    {
        await store.PutFleetAsync(_tenant, "chat", Cancel);
        for (var i = 0; i < versions; i++)
            Assert.True(await store.PublishAsync(_tenant, "chat", Cancel));
        await AppendAsync();
    }

    private async Task DecideAsync(Func<Fleet?, Domain.Decision<FleetEvent>> decide) =>
        Assert.False((await store.Fleets.DecideAsync(_tenant, "chat", decide, Cancel)).Decision.IsRefused);

    private Task<int> AppendAsync() => Log.AppendAsync(_tenant, _signer, TestStore.At, Cancel);

    private Task<IReadOnlyList<LogFault>> VerifyAsync(KeptCheckpoint? kept = null) =>
        LogVerification.VerifyAsync(store.Store, _tenant, kept, Cancel);

    private Task TamperAsync(string sql) =>
        store.ExecuteAsync(sql.Replace("{0}", $"tenant_id = '{_tenant}'", StringComparison.Ordinal), Cancel);

    /// <summary>RFC 9162, 2.1.3.2, by an auditor who has none of our code.</summary>
    private static string Root(byte[] hash, long fn, long size, IReadOnlyList<string> proof)
    {
        var sn = size - 1;
        foreach (var p in proof.Select(Convert.FromBase64String))
        {
            if (fn % 2 == 1 || fn == sn)
            {
                hash = SHA256.HashData([1, .. p, .. hash]);
                for (; fn % 2 == 0 && fn != 0; fn >>= 1)
                    sn >>= 1;
            }
            else
            {
                hash = SHA256.HashData([1, .. hash, .. p]);
            }

            (fn, sn) = (fn >> 1, sn >> 1);
        }

        Assert.Equal(0, sn);
        return Convert.ToBase64String(hash);
    }
}
