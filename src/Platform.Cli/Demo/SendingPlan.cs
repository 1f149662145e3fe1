namespace Platform.Cli.Demo;

/// <summary>One sending of a message.</summary>
/// <param name="Tenant">Index of the tenant that sends it.</param>
/// <param name="Message">The message.</param>
internal sealed record Sending(int Tenant, WindowMessage Message);

/// <summary>What goes out, in order, with what of it is there to try the platform.</summary>
internal sealed record SendingPlan
{
    /// <summary>Part of the messages that are sent twice.</summary>
    private const double Repeated = 0.05;

    public required IReadOnlyList<Sending> Sendings { get; init; }

    /// <summary>Sendings of a message that was sent before, for each fleet of the workload.</summary>
    public required IReadOnlyList<int> DuplicatesOfFleet { get; init; }

    /// <summary>Gives every window a message id, and puts the messages in a shuffled order with repetitions.</summary>
    public static SendingPlan Create(DemoWorkload workload, int seed)
    {
        var random = new Random(unchecked(seed + 15_485_863));
        var messages = workload.Fleets.Index()
            .SelectMany(fleet => fleet.Item.Windows.Select(window => (Fleet: fleet.Index, window.WindowStart, Message: new Sending(
                fleet.Item.Plan.Template.Tenant, new WindowMessage(window.Fleet, MessageId(random), DemoWorkload.Write(window))))))
            .OrderBy(it => it.WindowStart).ToArray();
        var order = PublishingOrder.Create(messages.Length, Repeated, random);
        var duplicates = new int[workload.Fleets.Count];
        foreach (var (message, times) in order.CountBy(message => message))
            duplicates[messages[message].Fleet] += times - 1;
        return new SendingPlan { Sendings = [.. order.Select(message => messages[message].Message)], DuplicatesOfFleet = duplicates };
    }

    /// <summary>A UUID of version 4 out of a seeded source.</summary>
    internal static Guid MessageId(Random random)
    {
        Span<byte> bytes = stackalloc byte[16];
        random.NextBytes(bytes);
        bytes[6] = (byte)((bytes[6] & 0x0f) | 0x40);
        bytes[8] = (byte)((bytes[8] & 0x3f) | 0x80);
        return new Guid(bytes, bigEndian: true);
    }
}
