// The least that .NET can do: what ./platform bench startup measures by.
return 0;
