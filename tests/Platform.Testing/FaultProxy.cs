using System.Net;
using System.Net.Sockets;

namespace Platform.Testing;

/// <summary>
/// A bad network between a host and a server: a port of this machine, behind which the server is, is away, or is
/// silent. It can also cut a connection at the one moment when the server has done what it was asked for and the answer
/// is on its way.
/// </summary>
public sealed class FaultProxy : IAsyncDisposable
{
    /// <summary>PostgreSQL's word that a transaction is committed: CommandComplete with the tag COMMIT.</summary>
    public static readonly byte[] Committed = [(byte)'C', 0, 0, 0, 11, .. "COMMIT\0"u8];

    /// <summary>The broker's word that it keeps a message: the method basic.ack (class 60, method 80).</summary>
    public static readonly byte[] Confirmed = [0, 60, 0, 80];

    private readonly IPEndPoint _server;

    // Bound and never listening: nobody else gets the port while connections are refused.
    private readonly Socket _reserved = NewSocket();
    private readonly Lock _gate = new();
    private readonly List<Link> _links = [];
    private Socket? _listener;
    private bool _isSilent;
    private Trap? _trap;

    /// <summary>Starts to pass connections on to a server of this machine.</summary>
    /// <param name="serverPort">Port of the server.</param>
    public FaultProxy(int serverPort)
    {
        _server = new IPEndPoint(IPAddress.Loopback, serverPort);
        _reserved.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        Port = ((IPEndPoint)_reserved.LocalEndPoint!).Port;
        Pass();
    }

    /// <summary>Where the server seems to be.</summary>
    public int Port { get; }

    /// <summary>
    /// New connections are passed on. Those that fell silent stay so, as behind a firewall that has forgotten them;
    /// those that were opened in the silence are cut.
    /// </summary>
    public void Pass()
    {
        lock (_gate)
        {
            _isSilent = false;
            _links.ForEach(link => link.CutUnlessConnected());
            Listen();
        }
    }

    /// <summary>Connections are cut, new ones refused, as by a machine whose server has ended.</summary>
    public void Refuse()
    {
        lock (_gate)
        {
            _listener?.Dispose();
            _listener = null;
            CutAll();
        }
    }

    /// <summary>
    /// Connections stay and new ones are accepted, but nothing comes through any more, the end of a connection neither.
    /// </summary>
    public void FallSilent()
    {
        lock (_gate)
        {
            _isSilent = true;
            _links.ForEach(link => link.IsSilent = true);
            Listen();
        }
    }

    /// <summary>
    /// Cuts one connection, once, when the answer to what was asked on it is on its way: it is done, and the asker does
    /// not know.
    /// </summary>
    /// <param name="request">Bytes that tell which request is meant.</param>
    /// <param name="answer">Bytes of the answer that gets lost, the first of the kind after the request.</param>
    /// <returns>Ends when the answer is lost.</returns>
    public Task LoseAnswer(ReadOnlySpan<byte> request, byte[] answer)
    {
        lock (_gate)
            _trap = new Trap(request.ToArray(), answer);
        return _trap.Sprung.Task;
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync()
    {
        Refuse();
        _reserved.Dispose();
        return ValueTask.CompletedTask;
    }

    private static Socket NewSocket() => new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);

    private void Listen()
    {
        if (_listener is not null)
            return;
        _listener = NewSocket();
        _listener.Bind(new IPEndPoint(IPAddress.Loopback, Port));
        _listener.Listen();
        _ = AcceptAsync(_listener);
    }

    private void CutAll()
    {
        _links.ForEach(link => link.Cut());
        _links.Clear();
    }

    private async Task AcceptAsync(Socket listener)
    {
        try
        {
            while (true)
                _ = ServeAsync(new Link(await listener.AcceptAsync()));
        }
        catch (Exception ended) when (ended is SocketException or ObjectDisposedException)
        {
            // Connections are refused from now on.
        }
    }

    private async Task ServeAsync(Link link)
    {
        lock (_gate)
        {
            _links.Add(link);
            link.IsSilent = _isSilent;
        }

        try
        {
            if (link.IsSilent)
                return;
            await link.Server.ConnectAsync(_server);
            await Task.WhenAny(
                PumpAsync(link, link.Client, link.Server, link.Asked, answers: false),
                PumpAsync(link, link.Server, link.Client, link.Answered, answers: true)
            );
        }
        catch (Exception ended) when (ended is SocketException or ObjectDisposedException)
        {
            // The server is away, or the connection was cut meanwhile.
        }

        if (!link.IsSilent)
            link.Cut();
    }

    private async Task PumpAsync(Link link, Socket from, Socket to, Tail tail, bool answers)
    {
        try
        {
            var buffer = new byte[64 * 1024];
            for (
                int count;
                (count = await from.ReceiveAsync(buffer)) > 0 && Passes(link, tail, buffer.AsSpan(0, count), answers);

            )
            {
                for (var sent = 0; sent < count; )
                    sent += await to.SendAsync(buffer.AsMemory(sent, count - sent));
            }
        }
        catch (Exception ended) when (ended is SocketException or ObjectDisposedException)
        {
            // One of the two has gone.
        }
    }

    private bool Passes(Link link, Tail tail, ReadOnlySpan<byte> bytes, bool answers)
    {
        lock (_gate)
        {
            if (link.IsSilent)
                return false;
            if (_trap is { } trap)
            {
                // Of this trap: what was asked for under an earlier one is not meant.
                if (!answers && tail.Continues(bytes, trap.Request))
                    link.Asks = trap;
                if (link.Asks == trap && answers && tail.Continues(bytes, trap.Answer))
                {
                    link.Cut();
                    trap.Sprung.SetResult();
                    _trap = null;
                    return false;
                }
            }

            tail.Add(bytes);
            return true;
        }
    }

    private sealed class Trap(byte[] request, byte[] answer)
    {
        public byte[] Request { get; } = request;

        public byte[] Answer { get; } = answer;

        public TaskCompletionSource Sprung { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }

    /// <summary>A connection with its continuation to the server.</summary>
    private sealed class Link(Socket client)
    {
        public Socket Client { get; } = client;

        public Socket Server { get; } = NewSocket();

        public Tail Asked { get; } = new();

        public Tail Answered { get; } = new();

        public bool IsSilent { get; set; }

        public Trap? Asks { get; set; }

        public void CutUnlessConnected()
        {
            if (!Server.Connected)
                Cut();
        }

        public void Cut()
        {
            Client.Close(timeout: 0);
            Server.Close(timeout: 0);
        }
    }

    /// <summary>The end of what has passed: what is looked for may begin in one packet and end in the next.</summary>
    private sealed class Tail
    {
        private const int Length = 64;
        private byte[] _bytes = [];

        /// <summary>Whether a text ends within the bytes that follow.</summary>
        public bool Continues(ReadOnlySpan<byte> bytes, byte[] text)
        {
            byte[] seam =
            [
                .. _bytes.AsSpan(Math.Max(0, _bytes.Length - text.Length + 1)),
                .. bytes[..Math.Min(bytes.Length, text.Length)],
            ];
            return seam.AsSpan().IndexOf(text) >= 0 || bytes.IndexOf(text) >= 0;
        }

        public void Add(ReadOnlySpan<byte> bytes)
        {
            byte[] all = [.. _bytes, .. bytes[Math.Max(0, bytes.Length - Length)..]];
            _bytes = all[Math.Max(0, all.Length - Length)..];
        }
    }
}
